package wire

import (
	"context"
	"crypto/tls"

	"github.com/quic-go/quic-go"
	pluginv1 "orchestrator.example/interop/gen/pluginv1"
)

// Reply sends one answer on the stream of its request.
type Reply func(*pluginv1.PluginResponse) error

// Handler serves one request. The context ends when the caller gives up. peer is the common name of the caller's certificate.
type Handler func(ctx context.Context, peer string, request *pluginv1.PluginRequest, reply Reply)

// Server serves requests on one address.
type Server struct {
	listener *quic.Listener
	handler  Handler
}

// Listen binds, and serves in the background until Close.
func Listen(addr string, config *tls.Config, handler Handler) (*Server, error) {
	listener, err := quic.ListenAddr(addr, config, quicConfig)
	if err != nil {
		return nil, err
	}
	server := &Server{listener, handler}
	go server.accept()
	return server, nil
}

// Addr is the address that was bound.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends every connection.
func (s *Server) Close() error { return s.listener.Close() }

func (s *Server) accept() {
	for {
		connection, err := s.listener.Accept(context.Background())
		if err != nil {
			return
		}
		go s.serve(connection)
	}
}

func (s *Server) serve(connection *quic.Conn) {
	peer := ""
	if chain := connection.ConnectionState().TLS.PeerCertificates; len(chain) > 0 {
		peer = chain[0].Subject.CommonName
	}
	for {
		stream, err := connection.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go s.serveStream(peer, stream)
	}
}

func (s *Server) serveStream(peer string, stream *quic.Stream) {
	request := &pluginv1.PluginRequest{}
	if err := ReadFrame(stream, request); err != nil {
		stream.CancelRead(0)
		stream.CancelWrite(0)
		return
	}
	// Over when this returns, or when the caller stops reading.
	ctx := stream.Context()
	s.handler(ctx, peer, request, func(response *pluginv1.PluginResponse) error {
		response.RequestId = request.GetRequestId()
		return WriteFrame(stream, response)
	})
	_ = stream.Close()
	stream.CancelRead(0)
}
