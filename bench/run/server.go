package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"example.com/berth/bench/internal/pattern"
)

// port is where the server is, on the outside's loopback.
const port = "5201"

// What the first byte of a connection asks for; a datagram is always echoed.
const (
	askSink   = 'u' // the client sends the pattern
	askSource = 'd' // the server does
	askEcho   = 'e'
)

// block is how much is read and written at a time.
const block = 128 << 10

// server is the outside's end of all workloads.
type server struct {
	received atomic.Int64 // bytes of sinks

	mu  sync.Mutex
	err error // the first
}

func serve() (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	u, err := net.ListenPacket("udp", "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	_ = u.(*net.UDPConn).SetReadBuffer(4 << 20) // as much as the system allows
	s := &server{}
	go s.accept(l)
	go s.echoDatagrams(u)
	return s, nil
}

func (s *server) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			s.fail(err)
			return
		}
		go func() {
			defer c.Close()
			if err := s.connection(c); !ended(err) {
				s.fail(err)
			}
		}()
	}
}

// connection does what a client asks for.
func (s *server) connection(c net.Conn) error {
	var ask [1]byte
	if _, err := io.ReadFull(c, ask[:]); err != nil {
		return err
	}
	switch ask[0] {
	case askSink:
		return drink(c, &s.received)
	case askSource:
		return pour(c)
	default:
		return echo(c)
	}
}

func (s *server) echoDatagrams(u net.PacketConn) {
	b := make([]byte, 64<<10)
	for {
		n, from, err := u.ReadFrom(b)
		if err != nil {
			if !errors.Is(err, syscall.ECONNREFUSED) {
				s.fail(err)
				return
			}
			continue
		}
		_, _ = u.WriteTo(b[:n], from) // one that is lost is counted by the client
	}
}

func (s *server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// failed is the first error that was no end of a connection.
func (s *server) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ended tells of an error that is the end of a connection, as trials end them.
func ended(err error) bool {
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// pour sends the pattern until the other end has had enough.
func pour(c net.Conn) error {
	for out := pattern.NewSource(block); ; {
		if _, err := c.Write(out.Next(block)); err != nil {
			return err
		}
	}
}

// drink compares what comes with the pattern, and counts it.
func drink(c net.Conn, total *atomic.Int64) error {
	in, b := pattern.NewSink(), make([]byte, block)
	for {
		n, err := c.Read(b)
		if err != nil {
			return err
		}
		if err := in.Check(b[:n]); err != nil {
			return err
		}
		total.Add(int64(n))
	}
}

// echo returns what comes.
func echo(c net.Conn) error {
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if err != nil {
			return err
		}
		if _, err := c.Write(b[:n]); err != nil {
			return err
		}
	}
}
