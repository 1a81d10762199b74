package berth_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"testing/synctest"

	"example.com/berth/link"
	"example.com/berth/socket"
)

// What is sent out of buffers arrives as it was, however long the peer does not read,
// and whatever of it lies where it was.
func TestSendBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := connected(t, alice, bob, bob4)
		rng := rand.New(rand.NewPCG(1, 2))
		var want []byte
		shared := 0
		send := func() bool {
			buf := link.NewBuffer(link.MaxFrame)
			defer buf.Release()
			n := 1 + rng.IntN(link.MaxFrame)
			for i := range n {
				buf.Bytes()[i] = byte(rng.Uint32())
			}
			k, err := alice.SendBuffer(c, buf, n)
			if err != nil && err != syscall.EAGAIN || err == nil && k == 0 || k < n && 2*n >= buf.Size() && k != 0 {
				t.Fatalf("%d of %d bytes: %v", k, n, err)
			}
			want = append(want, buf.Bytes()[:k]...)
			if buf.Shared() {
				shared++
			} else {
				clear(buf.Bytes()[:n]) // it is the caller's
			}
			return err == nil
		}
		for send() { // until there is no room
		}
		synctest.Wait()
		if shared == 0 {
			t.Error("all was copied")
		}
		var got []byte
		b := make([]byte, 100_000)
		for round := range 200 {
			n, err := s.Recv(b, socket.MSG_DONTWAIT)
			if err != nil && err != syscall.EAGAIN {
				t.Fatal(err)
			}
			got = append(got, b[:n]...)
			if round < 100 {
				send()
			}
			synctest.Wait()
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes arrived of %d, or others", len(got), len(want))
		}
	})
}

func TestSendBufferRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := connected(t, alice, bob, bob4)
		over, _ := connected(t, alice, bob, bob4)
		gone, _ := connected(t, alice, bob, bob4)
		if err := errors.Join(over.Shutdown(socket.SHUT_WR), gone.Close()); err != nil {
			t.Fatal(err)
		}
		buf := link.NewBuffer(link.MaxFrame)
		defer buf.Release()
		for _, tt := range []struct {
			name string
			s    socket.Socket
			want error
		}{
			{"of another host", s, syscall.EINVAL},
			{"of datagrams", newSocket(t, alice, socket.INET, socket.DGRAM, 0), syscall.EINVAL},
			{"not connected", newSocket(t, alice, socket.INET, socket.STREAM, 0), syscall.EPIPE},
			{"that has said all", over, syscall.EPIPE},
			{"that is closed", gone, syscall.EBADF},
		} {
			for _, n := range []int{1, link.MaxFrame} {
				if k, err := alice.SendBuffer(tt.s, buf, n); k != 0 || err != tt.want {
					t.Errorf("a socket %s: %d, %v; want %v", tt.name, k, err, tt.want)
				}
			}
		}
		if buf.Shared() {
			t.Error("somebody holds the buffer")
		}
		if n, err := alice.SendBuffer(c, buf, link.MaxFrame); n != link.MaxFrame || err != nil {
			t.Error(n, err)
		}
	})
}
