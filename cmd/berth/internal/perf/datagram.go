package perf

import (
	"encoding/binary"
	"time"
)

// Datagrams begin with a header, in network order:
//
//	0  magic
//	4  what it is
//	6  stream
//	8  sequence number, from 0
//	16 when it was sent, in nanoseconds of the sender's clock
//
// A hello has the cookie behind it. A client repeats it until the test starts.
const (
	magic     = 0x62707266
	headerLen = 24
)

type datagramKind uint16

const (
	datagramHello datagramKind = iota + 1
	datagramData
)

// datagram is the header of one.
type datagram struct {
	kind   datagramKind
	stream int
	seq    uint64
	sent   time.Duration
}

// put writes the header to the beginning of b.
func (d *datagram) put(b []byte) {
	binary.BigEndian.PutUint32(b, magic)
	binary.BigEndian.PutUint16(b[4:], uint16(d.kind))
	binary.BigEndian.PutUint16(b[6:], uint16(d.stream))
	binary.BigEndian.PutUint64(b[8:], d.seq)
	binary.BigEndian.PutUint64(b[16:], uint64(d.sent))
}

// parse reads a header. It reports false for what is none.
func (d *datagram) parse(b []byte) bool {
	if len(b) < headerLen || binary.BigEndian.Uint32(b) != magic {
		return false
	}
	d.kind = datagramKind(binary.BigEndian.Uint16(b[4:]))
	d.stream = int(binary.BigEndian.Uint16(b[6:]))
	d.seq = binary.BigEndian.Uint64(b[8:])
	d.sent = time.Duration(binary.BigEndian.Uint64(b[16:]))
	return true
}

// arrivals is what a receiver of datagrams keeps of a stream. It is pure.
type arrivals struct {
	next       uint64 // the sequence number that is due
	received   int64
	lost       int64 // numbers passed over and not come since
	outOfOrder int64
	transit    time.Duration // of the last one; between clocks that need not agree
	jitter     float64       // nanoseconds
}

// farthest is how far a sequence number may be ahead: beyond it is not a
// datagram of this test.
const farthest = 1 << 32

// take counts a datagram.
func (a *arrivals) take(d *datagram, now time.Duration) {
	if d.seq >= a.next+farthest {
		return
	}
	if d.seq < a.next {
		a.outOfOrder++
		if a.lost > 0 {
			a.lost--
		}
	} else {
		a.lost += int64(d.seq - a.next)
		a.next = d.seq + 1
	}
	transit := now - d.sent
	if a.received > 0 {
		// RFC 3550 6.4.1: J += (|D| - J) / 16.
		a.jitter += (float64((transit - a.transit).Abs()) - a.jitter) / 16
	}
	a.transit = transit
	a.received++
}
