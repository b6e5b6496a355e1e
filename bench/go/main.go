// A relay and an echo on quic-go, as a peer of the benchmarks: `echo CERTS NAME`, `relay CERTS NAME ADDR`.
// Says where it listens, answers "cpu" with the microseconds of CPU time that it has used, and ends with its standard input.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"google.golang.org/protobuf/types/known/structpb"
	pluginv1 "orchestrator.example/interop/gen/pluginv1"
	"orchestrator.example/interop/plain/wire"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	handler := echo
	if args[0] == "relay" {
		config, err := wire.ClientConfig(args[1], args[2])
		if err != nil {
			return err
		}
		client, err := wire.Dial(context.Background(), args[3], config)
		if err != nil {
			return err
		}
		handler = relay(client)
	}
	config, err := wire.ServerConfig(args[1], args[2])
	if err != nil {
		return err
	}
	server, err := wire.Listen("localhost:0", config, handler)
	if err != nil {
		return err
	}
	fmt.Println(strings.Replace(server.Addr(), "127.0.0.1", "localhost", 1))
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			return err
		}
		fmt.Println((usage.Utime.Nano() + usage.Stime.Nano()) / 1000)
	}
	return server.Close()
}

// echo answers every call with the same text.
func echo(_ context.Context, _ string, _ *pluginv1.PluginRequest, reply wire.Reply) {
	text := structpb.NewStringValue(strings.Repeat("x", 500))
	result := &structpb.Struct{Fields: map[string]*structpb.Value{"text": text}}
	answer := &pluginv1.ToolResponse{Success: true, Result: result}
	_ = reply(&pluginv1.PluginResponse{Response: &pluginv1.PluginResponse_ToolCall{ToolCall: answer}})
}

// relay stamps who called and passes the call on.
func relay(client *wire.Client) wire.Handler {
	return func(ctx context.Context, peer string, request *pluginv1.PluginRequest, reply wire.Reply) {
		if call := request.GetToolCall(); call != nil {
			call.CallerPlugin = peer
		}
		answer, err := client.Call(ctx, request)
		// A callee that has answered may stop a request whose end has not been sent yet; the library takes that for a failure.
		for tries := 1; err != nil && tries < 3; tries++ {
			answer, err = client.Call(ctx, request)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "relay:", err)
			return
		}
		_ = reply(answer)
	}
}
