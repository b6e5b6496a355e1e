// A client on quic-go alone: of a hub, or, as a host, of a plugin.
package main

import (
	"context"
	"flag"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	pluginv1 "orchestrator.example/interop/gen/pluginv1"
	"orchestrator.example/interop/peer"
	"orchestrator.example/interop/plain/wire"
)

func main() {
	addr := flag.String("addr", "", "host:port to dial")
	certs := flag.String("certs-dir", "", "certificates")
	name := flag.String("name", "interop.client", "common name of the certificate")
	alpn := flag.String("alpn", "", "replaces the protocol name")
	anonymous := flag.Bool("anonymous", false, "offer no certificate")
	flag.Parse()
	client, err := dial(*addr, *certs, *name, *alpn, *anonymous)
	peer.Connected(err)
	defer client.Client.Close()
	peer.Serve(client)
}

type plainClient struct{ *wire.Client }

func dial(addr, certs, name, alpn string, anonymous bool) (*plainClient, error) {
	config, err := wire.ClientConfig(certs, name)
	if err != nil {
		return nil, err
	}
	if alpn != "" {
		config.NextProtos = []string{alpn}
	}
	if anonymous {
		config.Certificates = nil
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	inner, err := wire.Dial(ctx, addr, config)
	return &plainClient{inner}, err
}

func (c *plainClient) Call(ctx context.Context, request []byte) ([]byte, error) {
	message := &pluginv1.PluginRequest{}
	if err := protojson.Unmarshal(request, message); err != nil {
		return nil, err
	}
	response, err := c.Client.Call(ctx, message)
	if err != nil {
		return nil, err
	}
	return protojson.Marshal(response)
}

func (c *plainClient) Stream(ctx context.Context, request []byte, receive func([]byte) bool) error {
	message := &pluginv1.PluginRequest{}
	if err := protojson.Unmarshal(request, message); err != nil {
		return err
	}
	return c.Client.Stream(ctx, message, func(response *pluginv1.PluginResponse) bool {
		text, err := protojson.Marshal(response)
		return err == nil && receive(text)
	})
}

func (c *plainClient) Cancel(ctx context.Context, request []byte) error {
	message := &pluginv1.PluginRequest{}
	if err := protojson.Unmarshal(request, message); err != nil {
		return err
	}
	cancel := &pluginv1.StreamCancel{StreamId: message.GetStreamStart().GetStreamId()}
	go func() {
		// Peers may close this stream without an answer.
		_, _ = c.Client.Call(ctx, &pluginv1.PluginRequest{RequestId: "cancel", Request: &pluginv1.PluginRequest_StreamCancel{StreamCancel: cancel}})
	}()
	return nil
}
