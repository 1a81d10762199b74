package perf

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// kind is what a message says.
type kind string

const (
	kindTest     kind = "test"
	kindReady    kind = "ready"
	kindStart    kind = "start"
	kindSent     kind = "sent"
	kindReceived kind = "received"
	kindStop     kind = "stop"
	kindError    kind = "error"
)

// message is one on the control connection.
type message struct {
	Kind   kind    `json:"kind"`
	Params *Params `json:"params,omitempty"` // of test
	Cookie string  `json:"cookie,omitempty"` // of ready
	Totals []Total `json:"totals,omitempty"` // of sent and received
	Error  string  `json:"error,omitempty"`
}

// Total is what one side has to say of a stream when it is over.
type Total struct {
	Stream      int     `json:"stream"`
	Bytes       int64   `json:"bytes"`
	Seconds     float64 `json:"seconds"`
	Retransmits int64   `json:"retransmits"` // of TCP; -1 if it is not known
	// Of UDP.
	Datagrams  int64   `json:"datagrams,omitempty"`
	Lost       int64   `json:"lost,omitempty"`
	OutOfOrder int64   `json:"out_of_order,omitempty"`
	Jitter     float64 `json:"jitter,omitempty"` // seconds
}

// RemoteError is what the other side says went wrong.
type RemoteError struct{ Text string }

func (e *RemoteError) Error() string { return "the other side says: " + e.Text }

const (
	// maxMessage bounds a message, in bytes: it holds the totals of all streams.
	maxMessage = 128 << 10
	// patience is how long a side waits for what the other is to say at once.
	patience = 10 * time.Second
)

// channel is the control connection.
type channel struct {
	conn net.Conn
	in   *bufio.Reader
}

func newChannel(c net.Conn) *channel {
	return &channel{c, bufio.NewReaderSize(c, maxMessage)}
}

// send sends a message.
func (ch *channel) send(m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := ch.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err = ch.conn.Write(append(b, '\n'))
	return err
}

// receive takes the next message. One that says error is a *RemoteError.
func (ch *channel) receive() (m message, err error) {
	line, err := ch.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return m, errors.New("a message that is too long")
	case errors.Is(err, io.EOF):
		return m, errors.New("the other side has gone")
	case err != nil:
		return m, err
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("a message that is none: %w", err)
	}
	if m.Kind == kindError {
		return m, &RemoteError{m.Error}
	}
	return m, nil
}

// expect takes the next message, which has to be of a kind, within a time.
func (ch *channel) expect(want kind, within time.Duration) (message, error) {
	if err := ch.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return message{}, err
	}
	defer ch.conn.SetReadDeadline(time.Time{})
	m, err := ch.receive()
	if err == nil && m.Kind != want {
		err = fmt.Errorf("%q instead of %q", m.Kind, want)
	}
	return m, err
}
