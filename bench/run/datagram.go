package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"example.com/berth/bench/internal/pattern"
)

// patience is how long a datagram is waited for before it counts as lost.
const patience = 100 * time.Millisecond

// datagrams keeps n on their way there and back, from one socket. Each has a
// number before the pattern. One that does not come back in time is lost, and its
// place taken by another.
func datagrams(r *inside, n int) error {
	c, err := net.Dial("udp", r.target)
	if err != nil {
		return err
	}
	_ = c.(*net.UDPConn).SetReadBuffer(4 << 20) // as much as the system allows
	size := 1400
	if n == 1 {
		size = 16
	}
	f := &datagramFlow{r: r, conn: c, out: pattern.Bytes(size)[:size], buf: make([]byte, 2048), sent: make(map[uint64]time.Time)}
	go r.until(func() error { return f.run(n) })
	return nil
}

type datagramFlow struct {
	r         *inside
	conn      net.Conn
	out, buf  []byte
	next      uint64
	sent      map[uint64]time.Time
	deadline  time.Time
	wantBytes []byte
}

func (f *datagramFlow) run(n int) error {
	f.wantBytes = bytes.Clone(f.out[8:])
	for {
		for len(f.sent) < n {
			if err := f.send(); err != nil {
				return err
			}
		}
		if err := f.receive(); err != nil {
			return err
		}
	}
}

func (f *datagramFlow) send() error {
	binary.BigEndian.PutUint64(f.out, f.next)
	at := time.Now() // it may be back before Write is
	if _, err := f.conn.Write(f.out); err != nil {
		return err
	}
	f.sent[f.next] = at
	f.next++
	return nil
}

// receive takes one, or gives up those that are late, also while others are not.
func (f *datagramFlow) receive() error {
	now := time.Now()
	if now.Add(patience).Sub(f.deadline) > patience/2 { // not for each: it costs
		f.giveUp(now)
		f.deadline = now.Add(patience)
		if err := f.conn.SetReadDeadline(f.deadline); err != nil {
			return err
		}
	}
	k, err := f.conn.Read(f.buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		f.giveUp(time.Now())
		return nil
	}
	if err != nil {
		return err
	}
	if k != len(f.out) || !bytes.Equal(f.buf[8:k], f.wantBytes) {
		return fmt.Errorf("a datagram of %d bytes came back otherwise", k)
	}
	id := binary.BigEndian.Uint64(f.buf)
	at, ok := f.sent[id]
	if !ok {
		return nil // it was late
	}
	delete(f.sent, id)
	if f.r.measuring.Load() {
		f.r.mu.Lock()
		f.r.took = append(f.r.took, time.Since(at))
		f.r.mu.Unlock()
	}
	return nil
}

// giveUp forgets those that have been under way for too long.
func (f *datagramFlow) giveUp(now time.Time) {
	for id, at := range f.sent {
		if now.Sub(at) >= patience/2 {
			delete(f.sent, id)
			if f.r.measuring.Load() {
				f.r.lost.Add(1)
			}
		}
	}
}
