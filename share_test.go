package berth_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// datagramsTo is a socket of alice's that is connected to one of bob's.
func datagramsTo(t *testing.T) (bob *berth.Host, from, to socket.Socket) {
	t.Helper()
	alice, bob := pair(t, wire.Offload(0))
	to = udpOn(t, bob, netip.AddrPortFrom(bob4, 4000))
	from = udpOn(t, alice, netip.AddrPort{})
	noError(t, from.Connect(context.Background(), netip.AddrPortFrom(bob4, 4000)))
	return bob, from, to
}

func udpOn(t *testing.T, h *berth.Host, local netip.AddrPort) socket.Socket {
	t.Helper()
	s := newSocket(t, h, socket.INET, socket.DGRAM, 0)
	if local.IsValid() {
		noError(t, s.Bind(local))
	}
	return s
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sendNumbers sends datagrams of four digits.
func sendNumbers(t *testing.T, s socket.Socket, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if _, err := s.Send(fmt.Appendf(nil, "%04d", i), 0); err != nil {
			t.Fatalf("datagram %d: %v", i, err)
		}
	}
}

// wantNumbers receives them.
func wantNumbers(t *testing.T, s socket.Socket, from, to int) {
	t.Helper()
	var b [16]byte
	for i := from; i < to; i++ {
		n, err := s.Recv(b[:], socket.MSG_DONTWAIT)
		if want := fmt.Sprintf("%04d", i); err != nil || string(b[:n]) != want {
			t.Fatalf("got %q, %v, want %q", b[:n], err, want)
		}
	}
}

// wantNone holds that nothing is there.
func wantNone(t *testing.T, s socket.Socket) {
	t.Helper()
	if n, err := s.Recv(make([]byte, 16), socket.MSG_DONTWAIT); err != syscall.EAGAIN {
		t.Fatalf("%d bytes, %v, want EAGAIN", n, err)
	}
}

// However readers take them, messages come in order, and each once.
func TestMessagesComeInOrderFromShareAndQueue(t *testing.T) {
	_, from, to := datagramsTo(t)
	sent, got := 0, 0
	for _, step := range []struct{ in, out int }{{1, 1}, {2, 1}, {40, 3}, {1, 38}, {0, 1}, {100, 99}, {30, 31}} {
		sendNumbers(t, from, sent, sent+step.in)
		sent += step.in
		wantNumbers(t, to, got, got+step.out)
		got += step.out
	}
	wantNone(t, to)
}

// A message that is looked at stays, wherever it is, and RecvMsg takes from the share too.
func TestPeekAndRecvMsgOfAShare(t *testing.T) {
	_, from, to := datagramsTo(t)
	sendNumbers(t, from, 0, 5)
	wantNumbers(t, to, 0, 1) // the others are in the share now
	var b [2]byte
	for range 2 {
		n, peer, err := to.RecvFrom(b[:], socket.MSG_PEEK|socket.MSG_TRUNC)
		if n != 4 || string(b[:]) != "00" || err != nil || peer.Addr() != alice4 {
			t.Fatalf("peek: %d, %q from %v, %v", n, b, peer, err)
		}
	}
	m := socket.Message{Buffers: [][]byte{b[:]}}
	if n, err := to.RecvMsg(&m, 0); n != 2 || err != nil || m.Flags != socket.MSG_TRUNC {
		t.Fatalf("RecvMsg: %d, %v, %+v", n, err, m)
	}
	wantNumbers(t, to, 2, 5)
	wantNone(t, to)
}

// The receive buffer takes as many again as were read, and no more than at first.
func TestTheReceiveBufferCountsWhatReadersHave(t *testing.T) {
	bob, from, to := datagramsTo(t)
	dropped := &bob.Counters().UDP.QueueFull
	noError(t, to.SetOption(socket.SO_RCVBUF.ID, 8192))
	fits := 0
	for dropped.Load() == 0 {
		sendNumbers(t, from, fits, fits+1)
		fits++
	}
	fits--
	for range 3 {
		wantNumbers(t, to, 0, fits)
		wantNone(t, to)
		sendNumbers(t, from, 0, fits)
		if n := dropped.Load(); n != 1 {
			t.Fatalf("%d dropped where %d fit", n, fits)
		}
		sendNumbers(t, from, fits, fits+1)
		if n := dropped.Load(); n != 2 {
			t.Fatalf("%d dropped, one was too many", n)
		}
		dropped.Store(1)
	}
	// With all but a few read, the buffer is nearly empty, not nearly full.
	wantNumbers(t, to, 0, fits-3)
	sendNumbers(t, from, fits, 2*fits-5)
	if n := dropped.Load(); n != 1 {
		t.Errorf("%d dropped though %d were read", n, fits-3)
	}
	wantNumbers(t, to, fits-3, 2*fits-5)
}

func TestPollSeesWhatReadersHave(t *testing.T) {
	bob, from, to := datagramsTo(t)
	sendNumbers(t, from, 0, 3)
	wantNumbers(t, to, 0, 1)
	for i := 1; i <= 3; i++ {
		fds := []socket.PollFD{{Socket: to, Events: socket.POLLIN}}
		n, err := bob.Poll(context.Background(), fds, 0)
		if noError(t, err); (n == 1) != (i < 3) {
			t.Fatalf("with %d read: %d, %v", i, n, fds[0].Revents)
		}
		if i < 3 {
			wantNumbers(t, to, i, i+1)
		}
	}
}

// What comes before messages comes before those, too, that readers have already.
func TestWhatComesBeforeMessages(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*testing.T, socket.Socket)
		want   error
	}{
		{"a deadline", func(t *testing.T, s socket.Socket) { noError(t, s.SetReadDeadline(time.Unix(1, 0))) }, os.ErrDeadlineExceeded},
		{"both deadlines", func(t *testing.T, s socket.Socket) { noError(t, s.SetDeadline(time.Unix(1, 0))) }, os.ErrDeadlineExceeded},
		{"Close", func(t *testing.T, s socket.Socket) { noError(t, s.Close()) }, syscall.EBADF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, from, to := datagramsTo(t)
			sendNumbers(t, from, 0, 20)
			wantNumbers(t, to, 0, 2)
			tt.change(t, to)
			if n, err := to.Recv(make([]byte, 16), 0); !errors.Is(err, tt.want) {
				t.Errorf("%d bytes, %v, want %v", n, err, tt.want)
			}
			if tt.want == os.ErrDeadlineExceeded {
				noError(t, to.SetDeadline(time.Time{}))
				wantNumbers(t, to, 2, 20)
			}
		})
	}
	t.Run("an error", func(t *testing.T) {
		alice, bob := pair(t, wire.Offload(0))
		a, b := udpOn(t, alice, netip.AddrPortFrom(alice4, 4000)), udpOn(t, bob, netip.AddrPortFrom(bob4, 4000))
		noError(t, a.Connect(context.Background(), netip.AddrPortFrom(bob4, 4000)))
		noError(t, b.Connect(context.Background(), netip.AddrPortFrom(alice4, 4000)))
		sendNumbers(t, b, 0, 20)
		wantNumbers(t, a, 0, 2)
		noError(t, b.Close())
		sendNumbers(t, a, 0, 1) // nobody is there
		if _, err := a.Recv(make([]byte, 16), 0); err != syscall.ECONNREFUSED {
			t.Errorf("%v, want ECONNREFUSED", err)
		}
		wantNumbers(t, a, 2, 20)
	})
}

// At the end of the readable half what is there is read first.
func TestShutdownLeavesWhatReadersHave(t *testing.T) {
	_, from, to := datagramsTo(t)
	noError(t, to.Connect(context.Background(), from.LocalAddr()))
	sendNumbers(t, from, 0, 6)
	wantNumbers(t, to, 0, 2)
	noError(t, to.Shutdown(socket.SHUT_RD))
	wantNumbers(t, to, 2, 6)
	if n, err := to.Recv(make([]byte, 16), 0); n != 0 || err != nil {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

// Several readers get each message once, while others look on, and a socket that is
// closed meanwhile gives everything back.
func TestReadersShareAQueue(t *testing.T) {
	const n, readers = 2000, 3
	bob, from, to := datagramsTo(t)
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			var b [16]byte
			for {
				n, err := to.Recv(b[:], 0)
				if err != nil {
					return
				}
				mu.Lock()
				seen[string(b[:n])]++
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		fds := []socket.PollFD{{Socket: to, Events: socket.POLLIN}}
		for fds[0].Revents&socket.POLLNVAL == 0 {
			if _, err := bob.Poll(context.Background(), fds, -1); err != nil {
				return
			}
		}
	})
	dropped := &bob.Counters().UDP.QueueFull
	sendNumbers(t, from, 0, n)
	for done := false; !done; {
		mu.Lock()
		done = len(seen)+int(dropped.Load()) == n
		mu.Unlock()
		runtime.Gosched()
	}
	noError(t, to.Close())
	wg.Wait()
	for b, times := range seen {
		if times != 1 {
			t.Errorf("%s came %d times", b, times)
		}
	}
	if used := bob.BudgetUsed(); used != 0 {
		t.Errorf("%d bytes of the budget are in use", used)
	}
}
