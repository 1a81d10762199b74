package berth_test

import (
	"bytes"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"example.com/berth"
	"example.com/berth/socket"
)

// What is lent is what was sent; what is returned is what was not taken.
func TestLoan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := connected(t, alice, bob, bob4)
		var l berth.Loan
		if err := bob.Borrow(s, &l); err != syscall.EAGAIN || l.Len() != 0 {
			t.Errorf("of nothing: %d bytes, %v", l.Len(), err)
		}
		l.Return(0)
		c.Send([]byte("hello, world"), 0)
		synctest.Wait()
		for _, tt := range []struct {
			lent string
			take int
		}{
			{"hello, world", 0},
			{"hello, world", 7},
			{"world", 5},
		} {
			if err := bob.Borrow(s, &l); err != nil {
				t.Fatal(err)
			}
			if got := string(slices.Concat(l.Pieces...)); got != tt.lent || l.Len() != len(tt.lent) {
				t.Errorf("lent %q, %d bytes; want %q", got, l.Len(), tt.lent)
			}
			l.Return(tt.take)
		}
		c.Shutdown(socket.SHUT_WR)
		synctest.Wait()
		if err := bob.Borrow(s, &l); err != nil || len(l.Pieces) != 0 {
			t.Errorf("at the end: %d pieces, %v", len(l.Pieces), err)
		}
	})
}

// A window that was closed opens when a loan is returned, and nothing is lost on the
// way, however much is taken at a time.
func TestLoansOpenTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := pair(t)
		c, s := connected(t, alice, bob, bob4)
		want := bytes.Repeat([]byte("all of it. "), 300_000)
		go func() {
			c.Send(want, 0)
			c.Shutdown(socket.SHUT_WR)
		}()
		var got []byte
		var l berth.Loan
		for take := 1; ; take = min(take*3+1, 1<<20) {
			synctest.Wait()
			if err := bob.Borrow(s, &l); err != nil {
				t.Fatal(err)
			}
			if len(l.Pieces) == 0 {
				break
			}
			n := min(take, l.Len())
			got = append(got, slices.Concat(l.Pieces...)[:n]...)
			l.Return(n)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes came, of %d", len(got), len(want))
		}
	})
}

// What is lent stays as it is if the connection ends meanwhile, or more comes.
func TestALoanOutlivesItsConnection(t *testing.T) {
	for _, end := range []func(c, s socket.Socket){
		func(c, _ socket.Socket) {
			socket.Set(c, socket.SO_LINGER, socket.Linger{On: true})
			c.Close()
		},
		func(_, s socket.Socket) { s.Close() },
		func(c, _ socket.Socket) { c.Send(bytes.Repeat([]byte("x"), 5000), 0) },
	} {
		synctest.Test(t, func(t *testing.T) {
			alice, bob := pair(t)
			c, s := connected(t, alice, bob, bob4)
			c.Send([]byte("hello"), 0)
			synctest.Wait()
			var l berth.Loan
			if err := bob.Borrow(s, &l); err != nil {
				t.Fatal(err)
			}
			end(c, s)
			synctest.Wait()
			if got := string(slices.Concat(l.Pieces...)); got != "hello" {
				t.Errorf("lent %q", got)
			}
			l.Return(l.Len())
		})
	}
}

func TestWhoLendsNothing(t *testing.T) {
	alice, bob := pair(t)
	c, s := connected(t, alice, bob, bob4)
	ln := newSocket(t, bob, socket.INET, socket.STREAM, 0)
	if err := ln.Listen(1); err != nil {
		t.Fatal(err)
	}
	closed := newSocket(t, bob, socket.INET, socket.STREAM, 0)
	closed.Close()
	for _, tt := range []struct {
		name string
		s    socket.Socket
		want syscall.Errno
	}{
		{"another host's", c, syscall.EINVAL},
		{"a datagram socket", newSocket(t, bob, socket.INET, socket.DGRAM, 0), syscall.EINVAL},
		{"a listener", ln, syscall.ENOTCONN},
		{"one that is not connected", newSocket(t, bob, socket.INET, socket.STREAM, 0), syscall.ENOTCONN},
		{"a closed one", closed, syscall.EBADF},
		{"one that nothing came to", s, syscall.EAGAIN},
	} {
		var l berth.Loan
		if err := bob.Borrow(tt.s, &l); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		l.Return(0)
	}
}
