// A plugin on quic-go alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	pluginv1 "orchestrator.example/interop/gen/pluginv1"
	"orchestrator.example/interop/peer"
	"orchestrator.example/interop/plain/wire"
)

var id = peer.ID("interop.plain")

func main() {
	hubAddr := flag.String("orchestrator-addr", "", "the hub; none: serve only")
	listenAddr := flag.String("listen-addr", "localhost:0", "where to serve")
	certs := flag.String("certs-dir", "", "certificates")
	manifest := flag.Bool("manifest", false, "print the manifest and exit")
	flag.Parse()
	if *manifest {
		fmt.Println(protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Format(ownManifest()))
		return
	}
	// How a plugin may misbehave before it has said anything.
	switch os.Getenv("INTEROP_BEHAVE") {
	case "never-ready":
		time.Sleep(time.Hour)
	case "leave-before-ready":
		fmt.Fprintln(os.Stderr, "no luck today")
		os.Exit(3)
	case "ready-then-leave":
		fmt.Fprintln(os.Stderr, "READY 127.0.0.1:9")
		os.Exit(4)
	}
	if err := run(*hubAddr, *listenAddr, *certs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(hubAddr, listenAddr, certs string) error {
	serving, err := wire.ServerConfig(certs, id)
	if err != nil {
		return err
	}
	served := &service{streams: map[string]context.CancelFunc{}}
	server, err := wire.Listen(listenAddr, serving, served.handle)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintf(os.Stderr, "READY %s\n", server.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if hubAddr != "" {
		if err := served.connect(ctx, hubAddr, certs); err != nil {
			return err
		}
		defer served.hub().Close()
	}
	<-ctx.Done()
	return nil
}

// service is the plugin's state.
type service struct {
	mutex   sync.Mutex
	client  *wire.Client
	events  peer.Events
	store   peer.Store
	streams map[string]context.CancelFunc
}

func (s *service) hub() *wire.Client {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.client
}

func (s *service) connect(ctx context.Context, addr, certs string) error {
	config, err := wire.ClientConfig(certs, id+"-client")
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	client, err := wire.Dial(ctx, addr, config)
	if err != nil {
		return err
	}
	answer, err := client.Call(ctx, &pluginv1.PluginRequest{RequestId: "register", Request: &pluginv1.PluginRequest_Register{Register: ownManifest()}})
	if err != nil {
		return err
	}
	if result := answer.GetRegister(); result != nil && !result.GetAccepted() {
		return fmt.Errorf("the hub refused: %s", result.GetRejectReason())
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.client = client
	return nil
}

func ownManifest() *pluginv1.PluginManifest {
	return &pluginv1.PluginManifest{
		Id: id, Version: "1.2.3", Language: "go", Description: "A plugin on quic-go alone", Author: "interop",
		ProvidesTools: append([]string{peer.Stream}, peer.Tools...), ProvidesStorage: []string{peer.Storage}, ProvidesPrompts: []string{peer.Prompt},
		NeedsStorage: []string{"markdown"}, NeedsTools: []string{"*"}, NeedsEvents: []string{peer.Topic},
	}
}
