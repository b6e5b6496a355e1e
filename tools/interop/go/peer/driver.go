package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Command is one line on standard input of a client. Request is a PluginRequest as protojson.
type Command struct {
	ID       int             `json:"id"`
	Request  json.RawMessage `json:"request"`
	Count    int             `json:"count"`    // how often to send it; 0 is once
	Parallel int             `json:"parallel"` // how many at once; 0 is one after another
	Stream   bool            `json:"stream"`   // read answers until the stream ends
	// CancelAfter this many chunks; then "same" ends the client's own side, "other" sends a stream_cancel on another stream.
	CancelAfter int    `json:"cancelAfter"`
	Cancel      string `json:"cancel"`
}

// Result is one line on standard output.
type Result struct {
	ID        int               `json:"id"`
	Responses []json.RawMessage `json:"responses"`
	Sent      int               `json:"sent"`
	Failed    int               `json:"failed"`
	Error     string            `json:"error"`
	Ms        float64           `json:"ms"`
}

// Client is what a library must be able to do.
type Client interface {
	// Call sends a request and returns the answer.
	Call(ctx context.Context, request []byte) ([]byte, error)
	// Stream sends a request and hands over each answer until the stream ends. When receive returns false the client cancels
	// by its own means and goes on reading, if it can.
	Stream(ctx context.Context, request []byte, receive func([]byte) bool) error
	// Cancel sends a stream_cancel for the stream of that request on a stream of its own.
	Cancel(ctx context.Context, request []byte) error
}

// Serve obeys commands until standard input ends.
func Serve(client Client) {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	var mutex sync.Mutex
	var running sync.WaitGroup
	for in.Scan() {
		var command Command
		if err := json.Unmarshal(in.Bytes(), &command); err != nil {
			fmt.Fprintln(os.Stderr, "bad command:", err)
			os.Exit(2)
		}
		running.Go(func() {
			result := obey(client, command)
			mutex.Lock()
			defer mutex.Unlock()
			if err := out.Encode(result); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		})
	}
	running.Wait()
}

// callTimeout bounds every call: a peer that never answers must become a failure, not a test that hangs.
const callTimeout = 60 * time.Second

func obey(client Client, command Command) Result {
	ctx, stop := context.WithTimeout(context.Background(), callTimeout)
	defer stop()
	started := time.Now()
	result := Result{ID: command.ID}
	if command.Stream {
		stream(ctx, client, command, &result)
	} else {
		repeat(ctx, client, command, &result)
	}
	result.Ms = float64(time.Since(started).Microseconds()) / 1000
	return result
}

func stream(ctx context.Context, client Client, command Command, result *Result) {
	cancelled := false
	err := client.Stream(ctx, command.Request, func(response []byte) bool {
		result.Responses = append(result.Responses, response)
		if command.CancelAfter == 0 || len(result.Responses) < command.CancelAfter || cancelled {
			return true
		}
		cancelled = true
		if command.Cancel == "same" {
			return false
		}
		if err := client.Cancel(ctx, command.Request); err != nil {
			result.Error = err.Error()
		}
		return true
	})
	if err != nil {
		result.Failed, result.Error = 1, err.Error()
	}
}

func repeat(ctx context.Context, client Client, command Command, result *Result) {
	count, parallel := max(1, command.Count), max(1, command.Parallel)
	var mutex sync.Mutex
	var workers sync.WaitGroup
	next := make(chan struct{})
	for range parallel {
		workers.Go(func() {
			for range next {
				response, err := client.Call(ctx, command.Request)
				mutex.Lock()
				result.Sent++
				if err != nil {
					result.Failed++
					result.Error = err.Error()
				} else {
					// Of many equal answers the last one stands for all.
					result.Responses = []json.RawMessage{response}
				}
				mutex.Unlock()
			}
		})
	}
	for range count {
		next <- struct{}{}
	}
	close(next)
	workers.Wait()
}

// Connected says on standard output that commands may come.
func Connected(err error) {
	if err != nil {
		_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"connected": false, "error": err.Error()})
		os.Exit(1)
	}
	fmt.Println(`{"connected":true}`)
}
