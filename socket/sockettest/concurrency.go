package sockettest

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"

	"example.com/berth/socket"
)

var concurrencyCases = []rows{
	both("concurrency/connections", "many connections at once, each with its own bytes", concurrencyConnections),
	both("concurrency/accept", "many who wait in Accept get one connection each", concurrencyAccept),
	both("concurrency/datagrams", "of many who wait in Recv one gets each datagram", concurrencyDatagrams),
	both("concurrency/send", "what many send on one stream arrives whole", concurrencySend),
	both("concurrency/both-ways", "one socket sends and receives at once", concurrencyBothWays),
	both("concurrency/close", "Close in the middle of every call harms nobody", concurrencyClose),
	both("concurrency/options", "options, addresses and Poll may be asked for by many at once", concurrencyOptions),
}

func concurrencyConnections(t *T, f family) {
	const n = 32
	l := t.bound(t.tcp(t.B, f), f.b)
	t.ok(l.Listen(n))
	server := t.beside(func() {
		var echoes sync.WaitGroup
		defer echoes.Wait()
		for range n {
			c, _, err := l.Accept(background)
			if err != nil {
				t.Error(err)
				return
			}
			echoes.Go(func() {
				defer c.Close()
				b := make([]byte, 4096)
				for {
					n, err := c.Recv(b, 0)
					if n == 0 || err != nil {
						return
					}
					if _, err := c.Send(b[:n], 0); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	})
	data := pattern(n * 1000)
	for i := range n {
		a := t.tcp(t.A, f)
		t.beside(func() {
			mine := data[i*1000 : (i+1)*1000]
			back := make([]byte, len(mine))
			if err := a.Connect(background, l.LocalAddr()); err != nil {
				t.Error(err)
				return
			}
			defer a.Close()
			for range 5 {
				if _, err := a.Send(mine, 0); err != nil {
					t.Error(err)
				}
				if _, err := a.Recv(back, socket.MSG_WAITALL); err != nil || !bytes.Equal(back, mine) {
					t.Errorf("other bytes came back, %v", err)
				}
			}
		})
	}
	<-server
}

func concurrencyAccept(t *T, f family) {
	const n = 8
	l := t.listener(f)
	var accepted sync.Map
	for range n {
		t.beside(func() {
			c, caller, err := l.Accept(background)
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
			if _, twice := accepted.LoadOrStore(caller, true); twice {
				t.Errorf("%v was accepted twice", caller)
			}
		})
	}
	for range n {
		t.connect(t.tcp(t.A, f), l.LocalAddr())
	}
}

func concurrencyDatagrams(t *T, f family) {
	const readers, each = 4, 16
	a, b := t.udpPair(f)
	set(t, b, socket.SO_RCVBUF, 1<<17)
	var seen [readers * each]atomic.Int32
	for range readers {
		t.beside(func() {
			for range each {
				buf := make([]byte, 1)
				if _, err := b.Recv(buf, 0); err != nil {
					t.Error(err)
					return
				}
				if seen[buf[0]].Add(1) != 1 {
					t.Errorf("datagram %d twice", buf[0])
				}
			}
		})
	}
	for i := range readers * each {
		t.send(a, string([]byte{byte(i)}))
	}
}

func concurrencySend(t *T, f family) {
	const writers, each = 8, 20_000
	a, b := t.pair(f)
	for i := range writers {
		t.beside(func() {
			if n, err := a.Send(bytes.Repeat([]byte{byte(i)}, each), 0); n != each || err != nil {
				t.Errorf("Send: %d, %v", n, err)
			}
		})
	}
	got := make([]byte, writers*each)
	n, err := b.Recv(got, socket.MSG_WAITALL)
	t.ok(err)
	equal(t, "received", n, len(got))
	for i := range writers {
		equal(t, "bytes of one", bytes.Count(got, []byte{byte(i)}), each)
	}
}

func concurrencyBothWays(t *T, f family) {
	a, b := t.smallPair(f)
	data := pattern(300_000)
	echo := t.beside(func() {
		buf := make([]byte, 8192)
		for {
			n, err := b.Recv(buf, 0)
			if n == 0 || err != nil {
				break
			}
			if _, err := b.Send(buf[:n], 0); err != nil {
				t.Error(err)
				break
			}
		}
		b.Close()
	})
	t.beside(func() {
		if _, err := a.Send(data, 0); err != nil {
			t.Error(err)
		}
		a.Shutdown(socket.SHUT_WR)
	})
	if !bytes.Equal(t.drain(a), data) {
		t.Error("other bytes came back")
	}
	<-echo
}

func concurrencyClose(t *T, f family) {
	for range 20 {
		a, b := t.pair(f)
		u := t.udpAt(t.A, f, f.a)
		// Each call runs until the socket is closed under it.
		loop := func(call func() error) {
			t.beside(func() {
				for {
					err := call()
					if errors.Is(err, syscall.EBADF) {
						return
					}
					if err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
						t.Error(err)
						return
					}
				}
			})
		}
		buf, into := make([]byte, 1000), make([]byte, 1000)
		loop(func() error { _, err := a.Send(buf, 0); return err })
		loop(func() error { _, err := b.Recv(into, 0); return err })
		loop(func() error { _, _, err := u.RecvFrom(make([]byte, 1), 0); return err })
		loop(func() error { _, err := u.SendTo(buf, 0, u.LocalAddr()); return err })
		loop(func() error { _, err := socket.Get(a, socket.TCP_INFO); return err })
		loop(func() error {
			fds := []socket.PollFD{{Socket: a, Events: in}, {Socket: u, Events: in}}
			_, err := t.A.Poll(background, fds, patience)
			if err == nil && fds[0].Revents == socket.POLLNVAL && fds[1].Revents == socket.POLLNVAL {
				return syscall.EBADF
			}
			return err
		})
		for _, s := range []socket.Socket{a, u, b} {
			t.ok(s.Close())
		}
	}
}

func concurrencyOptions(t *T, f family) {
	a, _ := t.pair(f)
	for range 4 {
		t.beside(func() {
			for i := range 50 {
				if err := socket.Set(a, socket.TCP_NODELAY, i%2); err != nil {
					t.Error(err)
				}
				if _, err := socket.Get(a, socket.TCP_INFO); err != nil {
					t.Error(err)
				}
				if _, err := a.PeerAddr(); err != nil {
					t.Error(err)
				}
				if _, err := t.A.Poll(background, []socket.PollFD{{Socket: a, Events: out}}, patience); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
