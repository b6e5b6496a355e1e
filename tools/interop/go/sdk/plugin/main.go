// A plugin on the published Go library.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	pluginv1 "github.com/orchestra-mcp/gen-go/orchestra/plugin/v1"
	"github.com/orchestra-mcp/sdk-go/plugin"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"orchestrator.example/interop/peer"
)

func main() {
	var running *plugin.Plugin
	events := &peer.Events{}
	hub := func(ctx context.Context, request string) (string, error) {
		client := running.OrchestratorClient()
		if client == nil {
			return "", fmt.Errorf("not connected to the hub")
		}
		var message pluginv1.PluginRequest
		if err := protojson.Unmarshal([]byte(request), &message); err != nil {
			return "", err
		}
		response, err := client.Send(ctx, &message)
		if err != nil {
			return "", err
		}
		return protojson.Format(response), nil
	}
	builder := plugin.New(peer.ID("interop.sdk")).Version("1.2.3").Description("A plugin on the published library").Author("interop").
		ProvidesStorage(peer.Storage).NeedsStorage("markdown").NeedsTools("*").NeedsEvents(peer.Topic).
		Lifecycle(lifecycle{}).SetStorageHandler(&storage{})
	for _, name := range peer.Tools {
		builder.RegisterTool(name, "interop "+name, peer.Schema(), func(ctx context.Context, req *pluginv1.ToolRequest) (*pluginv1.ToolResponse, error) {
			call := peer.Call{Tool: name, Caller: req.GetCallerPlugin(), Provider: req.GetProvider(), Args: req.GetArguments(), Hub: hub}
			text, err := peer.Run(ctx, call, events)
			if err != nil || text == nil {
				return nil, err
			}
			result, err := structpb.NewStruct(map[string]any{"text": *text})
			return &pluginv1.ToolResponse{Success: true, Result: result}, err
		})
	}
	builder.RegisterStreamingTool(peer.Stream, "interop count", peer.Schema(), func(ctx context.Context, req *pluginv1.StreamStart, chunks chan<- []byte) error {
		return peer.RunStream(ctx, req.GetArguments(), func(chunk []byte) error {
			select {
			case chunks <- chunk:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	arguments := []*pluginv1.PromptArgument{{Name: "name", Description: "whom", Required: true}}
	builder.RegisterPrompt(peer.Prompt, "Greets", arguments, func(_ context.Context, req *pluginv1.PromptGetRequest) (*pluginv1.PromptGetResponse, error) {
		content := &pluginv1.ContentBlock{Type: "text", Text: "Hello, " + req.GetArguments()["name"]}
		return &pluginv1.PromptGetResponse{Description: "Greets", Messages: []*pluginv1.PromptMessage{{Role: "user", Content: content}}}, nil
	})
	running = builder.BuildWithTools()
	running.ParseFlags()
	running.Server().Subscribe(peer.Topic, peer.Filter, func(_ context.Context, event *pluginv1.EventDelivery) {
		events.Add(event.GetTopic(), event.GetEventType(), event.GetSourcePlugin(), event.GetPayload())
	})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := running.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type lifecycle struct{}

func (lifecycle) OnBoot(config map[string]string) error { return peer.BootError(config) }
func (lifecycle) OnShutdown() error                     { return nil }

// storage serves the store through the library's handler interface.
type storage struct{ store peer.Store }

func (s *storage) Read(_ context.Context, req *pluginv1.StorageReadRequest) (*pluginv1.StorageReadResponse, error) {
	document, found := s.store.Read(req.GetPath())
	if !found {
		return nil, fmt.Errorf("no such document")
	}
	return &pluginv1.StorageReadResponse{Content: document.Content, Version: document.Version}, nil
}

func (s *storage) Write(_ context.Context, req *pluginv1.StorageWriteRequest) (*pluginv1.StorageWriteResponse, error) {
	version, err := s.store.Write(req.GetPath(), req.GetContent(), req.GetExpectedVersion())
	if err != nil {
		return &pluginv1.StorageWriteResponse{Error: err.Error()}, nil
	}
	return &pluginv1.StorageWriteResponse{Success: true, NewVersion: version}, nil
}

func (s *storage) Delete(_ context.Context, req *pluginv1.StorageDeleteRequest) (*pluginv1.StorageDeleteResponse, error) {
	return &pluginv1.StorageDeleteResponse{Success: s.store.Delete(req.GetPath())}, nil
}

func (s *storage) List(_ context.Context, req *pluginv1.StorageListRequest) (*pluginv1.StorageListResponse, error) {
	response := &pluginv1.StorageListResponse{}
	for _, path := range s.store.List(req.GetPrefix()) {
		document, _ := s.store.Read(path)
		response.Entries = append(response.Entries, &pluginv1.StorageEntry{Path: path, Size: int64(len(document.Content)), Version: document.Version})
	}
	return response, nil
}
