package wire

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/quic-go/quic-go"
	pluginv1 "orchestrator.example/interop/gen/pluginv1"
)

// Client calls a peer: one stream for each request.
type Client struct{ connection *quic.Conn }

// The patience is that of a test on a busy machine.
var quicConfig = &quic.Config{
	HandshakeIdleTimeout: time.Minute,
	MaxIdleTimeout:       5 * time.Minute,
	KeepAlivePeriod:      15 * time.Second,
}

// Dial connects.
func Dial(ctx context.Context, addr string, config *tls.Config) (*Client, error) {
	connection, err := quic.DialAddr(ctx, addr, config, quicConfig)
	if err != nil {
		return nil, err
	}
	return &Client{connection}, nil
}

// Call sends one request and reads one answer.
func (c *Client) Call(ctx context.Context, request *pluginv1.PluginRequest) (*pluginv1.PluginResponse, error) {
	var answer *pluginv1.PluginResponse
	err := c.Stream(ctx, request, func(response *pluginv1.PluginResponse) bool {
		answer = response
		return false
	})
	return answer, err
}

// Stream sends one request and reads answers until the peer ends the stream or receive returns false.
func (c *Client) Stream(ctx context.Context, request *pluginv1.PluginRequest, receive func(*pluginv1.PluginResponse) bool) error {
	stream, err := c.connection.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	// Whatever ends this: a stream that is not read to its end must be given back, or the peer's credit leaks.
	defer stream.CancelRead(0)
	if deadline, limited := ctx.Deadline(); limited {
		if err := stream.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if err := WriteFrame(stream, request); err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	for {
		response := &pluginv1.PluginResponse{}
		if err := ReadFrame(stream, response); err != nil {
			return err
		}
		if !receive(response) {
			return nil
		}
		if _, last := response.GetResponse().(*pluginv1.PluginResponse_StreamEnd); last {
			return nil
		}
	}
}

// Close ends the connection.
func (c *Client) Close() error { return c.connection.CloseWithError(0, "client closed") }

// Closed is done when the connection is gone.
func (c *Client) Closed() <-chan struct{} { return c.connection.Context().Done() }
