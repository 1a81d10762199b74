package perf

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"example.com/berth/netconn"
)

const (
	// lastBytes is how long a receiver waits for the end of a stream whose
	// sender has sent all.
	lastBytes = 30 * time.Second
	// lastDatagrams is how long it waits for datagrams then.
	lastDatagrams = 300 * time.Millisecond
	// readBuffer is what a socket for datagrams asks for: a receiver that has to
	// wait for a processor shall not be taken for a network that loses.
	readBuffer = 4 << 20
)

// receiveAll receives on all streams until they end.
func (s *session) receiveAll(streams []*stream) error {
	if !s.params.UDP {
		return each(streams, s.receiveBytes)
	}
	byID := map[int]*stream{}
	for _, st := range streams {
		byID[st.id] = st
	}
	errs := make([]error, len(s.sockets))
	var all sync.WaitGroup
	for i, c := range s.sockets {
		all.Go(func() { errs[i] = s.receiveDatagrams(c, byID) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// receiveBytes reads a TCP stream to its end.
func (s *session) receiveBytes(st *stream) error {
	b := make([]byte, s.params.Length)
	for {
		n, err := st.tcp.Read(b)
		if n > 0 {
			st.took(n, s.began)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// receiveDatagrams counts what comes on a socket until its deadline.
func (s *session) receiveDatagrams(c *netconn.UDPConn, streams map[int]*stream) error {
	b := make([]byte, MaxDatagram)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		var d datagram
		if !d.parse(b[:n]) || d.kind != datagramData {
			continue
		}
		st := streams[d.stream]
		if st == nil || st.peer.IsValid() && st.peer != from {
			continue
		}
		st.mu.Lock()
		st.arrivals.take(&d, time.Since(s.began))
		st.mu.Unlock()
		st.took(n, s.began)
	}
}

// finishReceiving bounds how long streams may go on whose sender has sent all.
func (s *session) finishReceiving(streams []*stream) {
	for _, st := range streams {
		if st.tcp != nil {
			_ = st.tcp.SetReadDeadline(time.Now().Add(lastBytes)) // one that is closed has ended
		}
	}
	for _, c := range s.sockets {
		_ = c.SetReadDeadline(time.Now().Add(lastDatagrams))
	}
}
