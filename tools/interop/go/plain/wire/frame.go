package wire

import (
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
)

// MaxFrame is the largest payload of a frame, in bytes.
const MaxFrame = 16 << 20

// WriteFrame sends a message behind its length, in one write.
func WriteFrame(to io.Writer, message proto.Message) error {
	payload, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	if len(payload) > MaxFrame {
		return fmt.Errorf("a frame of %d bytes is too large", len(payload))
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(payload)), uint32(len(payload)))
	_, err = to.Write(append(frame, payload...))
	return err
}

// ReadFrame reads one message.
func ReadFrame(from io.Reader, message proto.Message) error {
	var header [4]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > MaxFrame {
		return fmt.Errorf("a frame of %d bytes is too large", length)
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(from, payload); err != nil {
		return err
	}
	return proto.Unmarshal(payload, message)
}
