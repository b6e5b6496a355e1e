package main

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	pluginv1 "orchestrator.example/interop/gen/pluginv1"
	"orchestrator.example/interop/peer"
	"orchestrator.example/interop/plain/wire"
)

// handle serves one request of any kind.
func (s *service) handle(ctx context.Context, _ string, request *pluginv1.PluginRequest, reply wire.Reply) {
	response := &pluginv1.PluginResponse{}
	switch req := request.GetRequest().(type) {
	case *pluginv1.PluginRequest_Register:
		response.Response = &pluginv1.PluginResponse_Register{Register: &pluginv1.RegistrationResult{Accepted: true}}
	case *pluginv1.PluginRequest_Boot:
		result := &pluginv1.BootResult{Ready: true}
		if err := peer.BootError(req.Boot.GetConfig()); err != nil {
			result = &pluginv1.BootResult{Error: err.Error()}
		}
		response.Response = &pluginv1.PluginResponse_Boot{Boot: result}
	case *pluginv1.PluginRequest_Shutdown:
		response.Response = &pluginv1.PluginResponse_Shutdown{Shutdown: &pluginv1.ShutdownResult{Clean: true}}
	case *pluginv1.PluginRequest_Health:
		result := &pluginv1.HealthResult{Status: pluginv1.HealthResult_STATUS_HEALTHY, Message: "ok"}
		response.Response = &pluginv1.PluginResponse_Health{Health: result}
	case *pluginv1.PluginRequest_ListTools:
		response.Response = &pluginv1.PluginResponse_ListTools{ListTools: listTools()}
	case *pluginv1.PluginRequest_ListPrompts:
		argument := &pluginv1.PromptArgument{Name: "name", Description: "whom", Required: true}
		prompt := &pluginv1.PromptDefinition{Name: peer.Prompt, Description: "Greets", Arguments: []*pluginv1.PromptArgument{argument}}
		response.Response = &pluginv1.PluginResponse_ListPrompts{ListPrompts: &pluginv1.ListPromptsResponse{Prompts: []*pluginv1.PromptDefinition{prompt}}}
	case *pluginv1.PluginRequest_PromptGet:
		content := &pluginv1.ContentBlock{Type: "text", Text: "Hello, " + req.PromptGet.GetArguments()["name"]}
		result := &pluginv1.PromptGetResponse{Description: "Greets", Messages: []*pluginv1.PromptMessage{{Role: "user", Content: content}}}
		response.Response = &pluginv1.PluginResponse_PromptGet{PromptGet: result}
	case *pluginv1.PluginRequest_ToolCall:
		response.Response = &pluginv1.PluginResponse_ToolCall{ToolCall: s.tool(ctx, req.ToolCall)}
	case *pluginv1.PluginRequest_StreamStart:
		s.stream(ctx, req.StreamStart, reply)
		return
	case *pluginv1.PluginRequest_StreamCancel:
		s.mutex.Lock()
		cancel := s.streams[req.StreamCancel.GetStreamId()]
		s.mutex.Unlock()
		if cancel != nil {
			cancel()
		}
		return
	case *pluginv1.PluginRequest_Publish:
		s.deliver(req.Publish)
	default:
		if !s.storage(request, response) {
			message := fmt.Sprintf("unknown request %T", req)
			response.Response = &pluginv1.PluginResponse_ToolCall{ToolCall: &pluginv1.ToolResponse{ErrorCode: "unknown_request", ErrorMessage: message}}
		}
	}
	_ = reply(response)
}

func listTools() *pluginv1.ListToolsResponse {
	list := &pluginv1.ListToolsResponse{}
	for _, name := range append([]string{peer.Stream}, peer.Tools...) {
		list.Tools = append(list.Tools, &pluginv1.ToolDefinition{Name: name, Description: "interop " + name, InputSchema: peer.Schema()})
	}
	return list
}

func (s *service) tool(ctx context.Context, req *pluginv1.ToolRequest) *pluginv1.ToolResponse {
	known := false
	for _, name := range peer.Tools {
		known = known || name == req.GetToolName()
	}
	if !known {
		return &pluginv1.ToolResponse{ErrorCode: "tool_not_found", ErrorMessage: fmt.Sprintf("tool %q not found", req.GetToolName())}
	}
	call := peer.Call{Tool: req.GetToolName(), Caller: req.GetCallerPlugin(), Provider: req.GetProvider(), Args: req.GetArguments(), Hub: s.callHub}
	text, err := peer.Run(ctx, call, &s.events)
	if err != nil {
		return &pluginv1.ToolResponse{ErrorCode: "handler_error", ErrorMessage: err.Error()}
	}
	if text == nil {
		return &pluginv1.ToolResponse{}
	}
	result, err := structpb.NewStruct(map[string]any{"text": *text})
	if err != nil {
		return &pluginv1.ToolResponse{ErrorCode: "handler_error", ErrorMessage: err.Error()}
	}
	return &pluginv1.ToolResponse{Success: true, Result: result}
}

func (s *service) callHub(ctx context.Context, request string) (string, error) {
	client := s.hub()
	if client == nil {
		return "", fmt.Errorf("not connected to the hub")
	}
	message := &pluginv1.PluginRequest{}
	if err := protojson.Unmarshal([]byte(request), message); err != nil {
		return "", err
	}
	answer, err := client.Call(ctx, message)
	if err != nil {
		return "", err
	}
	return protojson.Format(answer), nil
}

func (s *service) stream(ctx context.Context, start *pluginv1.StreamStart, reply wire.Reply) {
	id := start.GetStreamId()
	end := &pluginv1.StreamEnd{StreamId: id}
	if start.GetToolName() == peer.Stream {
		ctx, cancel := context.WithCancel(ctx)
		s.mutex.Lock()
		s.streams[id] = cancel
		s.mutex.Unlock()
		err := peer.RunStream(ctx, start.GetArguments(), func(data []byte) error {
			chunk := &pluginv1.StreamChunk{StreamId: id, Data: data, ContentType: "application/octet-stream", Sequence: end.GetTotalChunks()}
			end.TotalChunks++
			return reply(&pluginv1.PluginResponse{Response: &pluginv1.PluginResponse_StreamChunk{StreamChunk: chunk}})
		})
		cancel()
		s.mutex.Lock()
		delete(s.streams, id)
		s.mutex.Unlock()
		end.Success = err == nil
		if err != nil {
			end.ErrorCode, end.ErrorMessage = "handler_error", err.Error()
		}
	} else {
		end.ErrorCode, end.ErrorMessage = "tool_not_found", fmt.Sprintf("streaming tool %q not found", start.GetToolName())
	}
	_ = reply(&pluginv1.PluginResponse{Response: &pluginv1.PluginResponse_StreamEnd{StreamEnd: end}})
}

// deliver takes an event, and applies the filter once more: the plugin trusts nobody with that.
func (s *service) deliver(event *pluginv1.Publish) {
	for key, value := range peer.Filter {
		if event.GetPayload().GetFields()[key].GetStringValue() != value {
			return
		}
	}
	s.events.Add(event.GetTopic(), event.GetEventType(), event.GetSourcePlugin(), event.GetPayload())
}

func (s *service) storage(request *pluginv1.PluginRequest, response *pluginv1.PluginResponse) bool {
	switch req := request.GetRequest().(type) {
	case *pluginv1.PluginRequest_StorageRead:
		document, _ := s.store.Read(req.StorageRead.GetPath())
		result := &pluginv1.StorageReadResponse{Content: document.Content, Version: document.Version}
		response.Response = &pluginv1.PluginResponse_StorageRead{StorageRead: result}
	case *pluginv1.PluginRequest_StorageWrite:
		version, err := s.store.Write(req.StorageWrite.GetPath(), req.StorageWrite.GetContent(), req.StorageWrite.GetExpectedVersion())
		result := &pluginv1.StorageWriteResponse{Success: err == nil, NewVersion: version}
		if err != nil {
			result.Error = err.Error()
		}
		response.Response = &pluginv1.PluginResponse_StorageWrite{StorageWrite: result}
	case *pluginv1.PluginRequest_StorageDelete:
		result := &pluginv1.StorageDeleteResponse{Success: s.store.Delete(req.StorageDelete.GetPath())}
		response.Response = &pluginv1.PluginResponse_StorageDelete{StorageDelete: result}
	case *pluginv1.PluginRequest_StorageList:
		result := &pluginv1.StorageListResponse{}
		for _, path := range s.store.List(req.StorageList.GetPrefix()) {
			document, _ := s.store.Read(path)
			result.Entries = append(result.Entries, &pluginv1.StorageEntry{Path: path, Size: int64(len(document.Content)), Version: document.Version})
		}
		response.Response = &pluginv1.PluginResponse_StorageList{StorageList: result}
	default:
		return false
	}
	return true
}
