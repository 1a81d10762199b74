package berth_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// transfer sends n random bytes from one end to the other and ends the stream;
// it fails the test unless they arrive as they were sent.
func transfer(t *testing.T, from, to socket.Socket, n int) {
	t.Helper()
	var seed [32]byte
	seed[0] = 7
	src := io.LimitReader(rand.NewChaCha8(seed), int64(n))
	sent, got := sha256.New(), sha256.New()
	done := make(chan error, 1)
	go func() {
		buf := make([]byte, 64<<10)
		for {
			k, err := src.Read(buf)
			if k > 0 {
				sent.Write(buf[:k])
				if _, err := from.Send(buf[:k], 0); err != nil {
					done <- err
					return
				}
			}
			if err != nil {
				done <- from.Shutdown(socket.SHUT_WR)
				return
			}
		}
	}()
	buf := make([]byte, 50_000)
	total := 0
	for {
		k, err := to.Recv(buf, 0)
		if err != nil {
			t.Fatalf("after %d bytes: %v", total, err)
		}
		if k == 0 {
			break
		}
		got.Write(buf[:k])
		total += k
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if total != n || !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
		t.Errorf("%d of %d bytes arrived, or not as they were sent", total, n)
	}
}

// HOST-95: without a router.
func TestStreamCarriesBytesBothWays(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []wire.Option
	}{
		{"large segments", nil},
		{"no offload", []wire.Option{wire.Offload(0)}},
		{"MTU 65535", []wire.Option{wire.MTU(65535)}},
		{"MTU 1280", []wire.Option{wire.MTU(1280), wire.Offload(0)}},
		{"Ethernet", []wire.Option{wire.Ethernet()}},
		{"Ethernet, no offload", []wire.Option{wire.Ethernet(), wire.Offload(0)}},
	} {
		for _, addr := range []netip.Addr{bob4, bob6} {
			t.Run(tt.name+" "+addr.String(), func(t *testing.T) {
				alice, bob := pair(t, tt.opts...)
				c, s := connected(t, alice, bob, addr)
				transfer(t, c, s, 4<<20)
				transfer(t, s, c, 4<<20)
			})
		}
	}
}

// A reader who waits acknowledges what he takes, together with the room that it leaves.
func TestReaderAcknowledgesOnce(t *testing.T) {
	const block = 60_000 // one large frame: of two the reader may take the first by itself
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := connected(t, alice, bob, bob4)
		go func() {
			for buf := make([]byte, block); ; {
				if n, err := s.Recv(buf, 0); n == 0 || err != nil {
					return
				}
			}
		}()
		const rounds = 50
		var before uint64
		for i := range 2 * rounds {
			if i == rounds { // the first segments are acknowledged at once
				before = bob.Counters().TCP.SegsOut.Load()
			}
			if n, err := c.Send(make([]byte, block), 0); n != block || err != nil {
				t.Fatalf("Send: %d, %v", n, err)
			}
			synctest.Wait()
		}
		if n := bob.Counters().TCP.SegsOut.Load() - before; n != rounds {
			t.Errorf("%d writes were acknowledged by %d segments", rounds, n)
		}
	})
}

func TestStreamOverLoopback(t *testing.T) {
	h := berth.NewHost(berth.Config{})
	defer h.Close()
	for _, addr := range []string{"127.0.0.1", "127.1.2.3", "::1"} {
		c, s := connected(t, h, h, netip.MustParseAddr(addr))
		transfer(t, c, s, 1<<20)
		transfer(t, s, c, 1<<20)
	}
}

// Half an hour of losses, reordering and duplicates in no time at all.
func TestStreamThroughABadLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := impair.Config{Loss: 0.05, Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Duplicate: 0.02}
		alice, bob := pairWith(t, berth.Config{}, func(d link.Device) link.Device {
			return impair.New(d, bad)
		}, wire.Offload(0))
		for _, addr := range []netip.Addr{bob4, bob6} {
			c, s := connected(t, alice, bob, addr)
			transfer(t, c, s, 1<<20)
			transfer(t, s, c, 1<<20)
		}
		if alice.Counters().TCP.Machine.Retransmits.Load() == 0 {
			t.Error("nothing was resent: the link is not bad")
		}
	})
}

func TestConnectToAClosedPortIsRefused(t *testing.T) {
	alice, _ := pair(t)
	for _, addr := range []netip.Addr{bob4, bob6} {
		s := newSocket(t, alice, domainOf(addr), socket.STREAM, 0)
		if err := s.Connect(t.Context(), netip.AddrPortFrom(addr, 7)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v: %v", addr, err)
		}
	}
}

func TestDeadlinesAndTimeoutsOnFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, _ := pair(t)
		s := newSocket(t, alice, socket.INET, socket.STREAM, 0)
		start := time.Now()
		// Nobody has this address, and nobody answers: seven retransmissions (MUST-23).
		err := s.Connect(t.Context(), netip.MustParseAddrPort("10.0.0.9:7"))
		if !errors.Is(err, syscall.ETIMEDOUT) && !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("connect: %v", err)
		}
		if took := time.Since(start); took < 3*time.Minute || took > 5*time.Minute {
			t.Errorf("it took %v to give up", took)
		}
		u := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
		if err := u.Bind(netip.MustParseAddrPort("10.0.0.1:5")); err != nil {
			t.Fatal(err)
		}
		u.SetReadDeadline(time.Now().Add(time.Hour))
		start = time.Now()
		if _, err := u.Recv(make([]byte, 1), 0); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("recv: %v", err)
		}
		if took := time.Since(start); took != time.Hour {
			t.Errorf("the deadline of an hour took %v", took)
		}
	})
}
