package testnet

import (
	"bytes"
	"testing"
	"time"

	"example.com/berth/link"
)

// Patience is how long something of the kernel's may take before a test fails.
const Patience = 10 * time.Second

// Received is a frame of Datagram's or Segment's that came in.
type Received struct {
	Packet
	GSO      link.GSO
	SegSize  int
	Checksum link.Checksum
}

// Receiver collects the frames of Datagram's and Segment's that come in at a
// device. It is an Echo to the addresses it was made with.
type Receiver struct {
	t  testing.TB
	in chan Received
}

// Receive attaches a Receiver to a device.
func Receive(t testing.TB, d link.Device, addrs ...string) *Receiver {
	t.Helper()
	r := &Receiver{t, make(chan Received, 1000)}
	e := NewEcho(t, d, addrs...)
	medium := d.Info().Medium
	e.Other = func(f *link.Frame) {
		p, ok, err := ParsePacket(medium, f)
		if err != nil {
			t.Errorf("came in: %v", err)
		}
		if ok {
			p.Payload = bytes.Clone(p.Payload)
			r.in <- Received{p, f.GSO, int(f.SegSize), f.Checksum}
		}
	}
	e.Attach()
	return r
}

// Next returns the next frame; the test fails if there is none for long.
func (r *Receiver) Next() Received {
	r.t.Helper()
	select {
	case p := <-r.in:
		return p
	case <-time.After(Patience):
		r.t.Fatal("nothing came in")
		panic("unreachable")
	}
}

// NextSegments collects frames until their payloads have n bytes together, and
// returns the payloads.
func (r *Receiver) NextSegments(n int) (all []Received, payload []byte) {
	r.t.Helper()
	for len(all) == 0 || len(payload) < n {
		all = append(all, r.Next())
		payload = append(payload, all[len(all)-1].Payload...)
	}
	return all, payload
}
