package kernel_test

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"example.com/berth/kernel"
	"example.com/berth/socket"
)

func udp(t *testing.T, p socket.Provider) socket.Socket {
	t.Helper()
	s, err := p.Socket(socket.INET, socket.DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Bind(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	if err := s.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSocketsIsOneProvider(t *testing.T) {
	if first, second := kernel.Sockets(), kernel.Sockets(); first != second {
		t.Error("two calls gave two Providers, whose sockets Poll would not take together")
	}
	if err := kernel.Sockets().Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	udp(t, kernel.Sockets())
}

func TestNamespaceThatIsNone(t *testing.T) {
	if _, err := kernel.InNamespace("/nonexistent/net"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("InNamespace of no file: %v", err)
	}
	p, err := kernel.InNamespace(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.Socket(socket.INET, socket.DGRAM, 0); err == nil {
		s.Close()
		t.Error("a socket was made in a file that is no namespace")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.Socket(socket.INET, socket.DGRAM, 0); err != syscall.EBADF {
		t.Errorf("Socket after Close: %v, want EBADF", err)
	}
}

func TestNamespacesAreApart(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making network namespaces needs root")
	}
	n := newNamespace(t)
	n.up(t, "lo")
	// The same address and port in both, and each hears its own.
	outer := udp(t, kernel.Sockets())
	inner, err := n.p.Socket(socket.INET, socket.DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	if err := inner.Bind(outer.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	for _, s := range []socket.Socket{outer, inner} {
		if _, err := s.SendTo([]byte("x"), 0, s.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(make([]byte, 1), 0); err != nil {
			t.Error(err)
		}
		if _, err := s.Recv(make([]byte, 1), socket.MSG_DONTWAIT); err != syscall.EAGAIN {
			t.Errorf("a second datagram: %v", err)
		}
	}
}

func TestSendAndRecvDoNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("sync.Pool forgets on purpose under the race detector")
	}
	s := udp(t, kernel.Sockets())
	b, to := make([]byte, 100), s.LocalAddr()
	m := socket.Message{Buffers: [][]byte{b}}
	if n := testing.AllocsPerRun(200, func() {
		if _, err := s.SendTo(b, 0, to); err != nil {
			t.Error(err)
		}
		if _, _, err := s.RecvFrom(b, 0); err != nil {
			t.Error(err)
		}
		if _, err := s.SendTo(b, 0, to); err != nil {
			t.Error(err)
		}
		if _, err := s.RecvMsg(&m, 0); err != nil {
			t.Error(err)
		}
	}); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

// TestPollLeavesNothingBehind runs many Polls that are ended by a context, each
// of which takes and gives back a descriptor of its own.
func TestPollLeavesNothingBehind(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	s := udp(t, kernel.Sockets())
	before := open()
	for range 200 {
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		if _, err := kernel.Sockets().Poll(ctx, []socket.PollFD{{Socket: s, Events: socket.POLLIN}}, -1); err != context.Canceled {
			t.Fatalf("Poll: %v", err)
		}
	}
	if after := open(); after > before+16 {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	// A wake-up of before must not end a Poll of now.
	n, err := kernel.Sockets().Poll(context.Background(), []socket.PollFD{{Socket: s, Events: socket.POLLIN}}, time.Millisecond)
	if n != 0 || err != nil {
		t.Errorf("Poll: %d, %v", n, err)
	}
}

func TestManyBuffersAreSentInTurn(t *testing.T) {
	s := udp(t, kernel.Sockets())
	m := socket.Message{Addr: s.LocalAddr()}
	for i := range 100 {
		m.Buffers = append(m.Buffers, []byte{byte(i)})
	}
	if n, err := s.SendMsg(&m, 0); n != 100 || err != nil {
		t.Fatalf("SendMsg: %d, %v", n, err)
	}
	b := make([]byte, 101)
	n, err := s.Recv(b, 0)
	if n != 100 || err != nil {
		t.Fatalf("Recv: %d, %v", n, err)
	}
	for i := range n {
		if b[i] != byte(i) {
			t.Fatalf("byte %d is %d", i, b[i])
		}
	}
}
