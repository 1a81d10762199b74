package berth_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// Bulk data one way, in writes of 64 KiB.
func BenchmarkBulk(b *testing.B) {
	for _, bb := range []struct {
		name string
		opts []wire.Option
	}{
		{"large segments", nil},
		{"MTU 1500, checksums", []wire.Option{wire.Offload(0)}},
		{"Ethernet, large segments", []wire.Option{wire.Ethernet()}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			alice, bob := pair(b, bb.opts...)
			c, s := connected(b, alice, bob, bob4)
			const size = 64 << 10
			b.SetBytes(size)
			b.ReportAllocs()
			done := make(chan struct{})
			go func() {
				defer close(done)
				buf := make([]byte, size)
				for {
					if n, err := s.Recv(buf, 0); err != nil || n == 0 {
						return
					}
				}
			}()
			buf := make([]byte, size)
			for b.Loop() {
				if _, err := c.Send(buf, 0); err != nil {
					b.Fatal(err)
				}
			}
			c.Shutdown(socket.SHUT_WR)
			<-done
		})
	}
}

// Bulk data on many connections at once, each with a writer and a reader.
func BenchmarkStreams(b *testing.B) {
	for _, bb := range []struct {
		name    string
		streams int
		opts    []wire.Option
	}{
		{"8, large segments", 8, nil},
		{"64, large segments", 64, nil},
		{"8, MTU 1500, checksums", 8, []wire.Option{wire.Offload(0)}},
		{"64, MTU 1500, checksums", 64, []wire.Option{wire.Offload(0)}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			alice, bob := pair(b, bb.opts...)
			const size = 64 << 10
			b.SetBytes(size)
			b.ReportAllocs()
			var left atomic.Int64
			left.Store(int64(b.N))
			var readers, writers sync.WaitGroup
			for range bb.streams {
				c, s := connected(b, alice, bob, bob4)
				readers.Go(func() {
					buf := make([]byte, size)
					for {
						if n, err := s.Recv(buf, 0); err != nil || n == 0 {
							return
						}
					}
				})
				writers.Go(func() {
					buf := make([]byte, size)
					for left.Add(-1) >= 0 {
						if _, err := c.Send(buf, 0); err != nil {
							b.Error(err)
							return
						}
					}
					c.Shutdown(socket.SHUT_WR)
				})
			}
			writers.Wait()
			readers.Wait()
		})
	}
}

// One byte there and one back.
func BenchmarkRequest(b *testing.B) {
	alice, bob := pair(b)
	c, s := connected(b, alice, bob, bob4)
	go func() {
		buf := make([]byte, 1)
		for {
			if n, err := s.Recv(buf, 0); err != nil || n == 0 {
				return
			}
			if _, err := s.Send(buf, 0); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(buf, 0); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Recv(buf, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// Connect, one request, close.
func BenchmarkConnect(b *testing.B) {
	alice, bob := pair(b)
	l := newSocket(b, bob, socket.INET, socket.STREAM, 0)
	if err := l.Bind(netip.AddrPortFrom(bob4, 80)); err != nil {
		b.Fatal(err)
	}
	if err := l.Listen(128); err != nil {
		b.Fatal(err)
	}
	go func() {
		buf := make([]byte, 1)
		for {
			s, _, err := l.Accept(b.Context())
			if err != nil {
				return
			}
			s.Recv(buf, 0)
			s.Send(buf, 0)
			s.Recv(buf, 0)
			s.Close()
		}
	}()
	buf := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		c, err := alice.Socket(socket.INET, socket.STREAM, 0)
		if err != nil {
			b.Fatal(err)
		}
		socket.Set(c, socket.SO_LINGER, socket.Linger{On: true}) // no TIME-WAIT
		if err := c.Connect(b.Context(), netip.AddrPortFrom(bob4, 80)); err != nil {
			b.Fatal(err)
		}
		c.Send(buf, 0)
		c.Recv(buf, 0)
		c.Close()
	}
}

// Datagrams one way; those that find the receiver's queue full are lost.
func BenchmarkDatagram(b *testing.B) {
	for _, bb := range []struct {
		name string
		size int
	}{{"64 B", 64}, {"1400 B", 1400}} {
		b.Run(bb.name, func(b *testing.B) {
			alice, bob := pair(b)
			r := newSocket(b, bob, socket.INET, socket.DGRAM, 0)
			if err := r.Bind(netip.AddrPortFrom(bob4, 9)); err != nil {
				b.Fatal(err)
			}
			s := newSocket(b, alice, socket.INET, socket.DGRAM, 0)
			if err := s.Connect(b.Context(), r.LocalAddr()); err != nil {
				b.Fatal(err)
			}
			buf := make([]byte, bb.size)
			b.SetBytes(int64(bb.size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Send(buf, 0); err != nil {
					b.Fatal(err)
				}
				if _, err := r.Recv(buf, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
