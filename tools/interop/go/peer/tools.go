// Package peer holds what the peers of the interop tests do, whatever library speaks for them.
package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
)

// Call is one call of a tool.
type Call struct {
	Tool, Caller, Provider string
	Args                   *structpb.Struct
	// Hub sends a request (protojson) over the plugin's own connection to the hub, and returns the answer.
	Hub func(ctx context.Context, request string) (string, error)
}

// Tools lists the plain tools. Stream is the one that streams, Prompt the one prompt, Storage the one storage type.
var Tools = []string{"echo", "fail", "nothing", "wait", "big", "log", "exit", "hub", "received"}

const (
	Stream  = "count"
	Prompt  = "greet"
	Storage = "interop"
	Topic   = "interop.topic"
)

// Filter is what the plugin subscribes with: only events whose payload says kind: wanted.
var Filter = map[string]string{"kind": "wanted"}

// Events remembers what was delivered.
type Events struct {
	mutex sync.Mutex
	lines []string
}

// Add remembers one event.
func (e *Events) Add(topic, eventType, source string, payload *structpb.Struct) {
	text, _ := json.Marshal(payload.AsMap())
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.lines = append(e.lines, fmt.Sprintf("%s %s %s %s", topic, eventType, source, text))
}

func (e *Events) String() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return strings.Join(e.lines, "\n")
}

// Run serves a call. A nil text with a nil error is a handler that returns nothing.
func Run(ctx context.Context, call Call, events *Events) (*string, error) {
	number := func(key string) int { return int(call.Args.GetFields()[key].GetNumberValue()) }
	text := func(value string) (*string, error) { return &value, nil }
	switch call.Tool {
	case "echo":
		args, err := json.Marshal(call.Args.AsMap())
		if err != nil {
			return nil, err
		}
		return text(fmt.Sprintf("%s caller=%s provider=%s", args, call.Caller, call.Provider))
	case "fail":
		return nil, fmt.Errorf("it broke")
	case "nothing":
		return nil, nil
	case "wait":
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(number("ms")) * time.Millisecond):
			return text("waited")
		}
	case "big":
		return text(strings.Repeat("x", number("bytes")))
	case "log":
		line := strings.Repeat("l", 1023) + "\n"
		for written := 0; written < number("bytes"); written += len(line) {
			fmt.Fprint(os.Stderr, line)
		}
		return text("logged")
	case "exit":
		os.Exit(number("code"))
	case "hub":
		answer, err := call.Hub(ctx, call.Args.GetFields()["request"].GetStringValue())
		if err != nil {
			return nil, err
		}
		return text(answer)
	case "received":
		return text(events.String())
	}
	return nil, fmt.Errorf("no tool %q", call.Tool)
}

// RunStream serves the streaming tool: the numbers from 0 to n-1.
func RunStream(ctx context.Context, args *structpb.Struct, send func([]byte) error) error {
	n := int(args.GetFields()["n"].GetNumberValue())
	pause := time.Duration(args.GetFields()["pause_ms"].GetNumberValue()) * time.Millisecond
	for i := 0; i < n; i++ {
		if err := send([]byte(fmt.Sprint(i))); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	if args.GetFields()["fail"].GetBoolValue() {
		return fmt.Errorf("the stream broke")
	}
	return nil
}

// ID is the plugin's own name, or that of the host which it plays for a test.
func ID(own string) string {
	if id := os.Getenv("INTEROP_ID"); id != "" {
		return id
	}
	return own
}

// Schema is the input schema of every tool here: anything goes.
func Schema() *structpb.Struct {
	schema, err := structpb.NewStruct(map[string]any{"type": "object", "properties": map[string]any{}})
	if err != nil {
		panic(err)
	}
	return schema
}

// BootError refuses a boot whose config asks for it.
func BootError(config map[string]string) error {
	if reason := config["refuse"]; reason != "" {
		return fmt.Errorf("%s", reason)
	}
	return nil
}
