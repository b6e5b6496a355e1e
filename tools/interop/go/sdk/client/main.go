// A client on the published Go library: of a hub, or, as a host, of a plugin.
package main

import (
	"context"
	"flag"
	"time"

	pluginv1 "github.com/orchestra-mcp/gen-go/orchestra/plugin/v1"
	"github.com/orchestra-mcp/sdk-go/plugin"
	"google.golang.org/protobuf/encoding/protojson"
	"orchestrator.example/interop/peer"
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
	defer client.inner.Close()
	peer.Serve(client)
}

type sdkClient struct{ inner *plugin.OrchestratorClient }

func dial(addr, certs, name, alpn string, anonymous bool) (*sdkClient, error) {
	config, err := plugin.ClientTLSConfig(certs, name)
	if err != nil {
		return nil, err
	}
	if alpn != "" {
		config.NextProtos = []string{alpn}
	}
	if anonymous {
		config.Certificates, config.GetClientCertificate = nil, nil
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	inner, err := plugin.NewOrchestratorClient(ctx, addr, config)
	return &sdkClient{inner}, err
}

func (c *sdkClient) Call(ctx context.Context, request []byte) ([]byte, error) {
	var message pluginv1.PluginRequest
	if err := protojson.Unmarshal(request, &message); err != nil {
		return nil, err
	}
	response, err := c.inner.Send(ctx, &message)
	if err != nil {
		return nil, err
	}
	return protojson.Marshal(response)
}

func (c *sdkClient) Stream(ctx context.Context, request []byte, receive func([]byte) bool) error {
	var message pluginv1.PluginRequest
	if err := protojson.Unmarshal(request, &message); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	responses, err := c.inner.SendStream(ctx, &message)
	if err != nil {
		return err
	}
	for response := range responses {
		text, err := protojson.Marshal(response)
		if err != nil {
			return err
		}
		if !receive(text) {
			cancel()
		}
	}
	return nil
}

func (c *sdkClient) Cancel(ctx context.Context, request []byte) error {
	var message pluginv1.PluginRequest
	if err := protojson.Unmarshal(request, &message); err != nil {
		return err
	}
	cancel := &pluginv1.StreamCancel{StreamId: message.GetStreamStart().GetStreamId()}
	go func() {
		// The Go server closes this stream without an answer, which the library reports as an error.
		_, _ = c.inner.Send(ctx, &pluginv1.PluginRequest{RequestId: "cancel", Request: &pluginv1.PluginRequest_StreamCancel{StreamCancel: cancel}})
	}()
	return nil
}
