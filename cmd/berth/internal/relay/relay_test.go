package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

func TestSourceGivesWhatIsReadToWhoAsksNext(t *testing.T) {
	r, w := io.Pipe()
	s := NewSource(r, 4)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.next(ctx); err != context.Canceled {
		t.Errorf("next gives %v", err)
	}
	go func() {
		io.WriteString(w, "abcdef") // longer than a chunk
		w.CloseWithError(errors.New("why"))
	}()
	got := ""
	for {
		b, err := s.next(t.Context())
		if err != nil {
			if err.Error() != "why" {
				t.Errorf("ends with %v", err)
			}
			break
		}
		got += string(b)
		s.done(b)
	}
	if got != "abcdef" {
		t.Errorf("read %q", got)
	}
}

// pipe is a Conn on one end of a TCP connection of the loopback interface.
func pipe(t *testing.T) (ours Conn, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func TestStreamCarriesBothHalvesToTheirEnds(t *testing.T) {
	ours, theirs := pipe(t)
	input := strings.Repeat("request ", 50_000)
	answer := strings.Repeat("answer ", 50_000)
	got := make(chan string)
	go func() {
		b, _ := io.ReadAll(theirs)
		io.WriteString(theirs, answer)
		theirs.CloseWrite()
		got <- string(b)
	}()
	var out bytes.Buffer
	ended := false
	err := Stream(t.Context(), ours, NewSource(strings.NewReader(input), Chunk), &out, func() { ended = true })
	if err != nil || ended {
		t.Errorf("Stream gives %v; told of the peer's end: %v", err, ended)
	}
	if out.String() != answer || <-got != input {
		t.Error("not all was carried")
	}
}

func TestStreamTellsOfThePeersEnd(t *testing.T) {
	ours, theirs := pipe(t)
	theirs.CloseWrite()
	r, w := io.Pipe()
	err := Stream(t.Context(), ours, NewSource(r, Chunk), io.Discard, func() { w.Close() })
	if err != nil {
		t.Error(err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestStreamEndsWithTheFirstError(t *testing.T) {
	ours, theirs := pipe(t)
	io.WriteString(theirs, "data")
	r, _ := io.Pipe() // an input that never ends does not hold it
	err := Stream(t.Context(), ours, NewSource(r, Chunk), fullDisk{}, nil)
	if err == nil || err.Error() != "no space left" {
		t.Errorf("Stream gives %v", err)
	}
}
