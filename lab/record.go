package lab

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"example.com/berth"
	"example.com/berth/lab/report"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// A recorder remembers what happened: packets with what became of them, samples
// of connections, and notes. It is bounded: of packets and samples the oldest are
// forgotten, in whole chunks.
type recorder struct {
	net *Network
	on  bool

	mu      sync.Mutex // guards what follows
	limit   int        // bytes
	chunks  []*chunk   // the oldest first
	notes   []report.Note
	faults  []Fault
	dropped struct{ packets, samples, notes int }
	secrets bytes.Buffer
	ended   bool
}

// chunkBytes is how much memory a chunk takes, roughly.
const chunkBytes = 1 << 20

// Bounds of what is remembered beside packets and samples.
const (
	maxNotes  = 10_000
	maxFaults = 1 << 20
)

// A chunk is a stretch of the recording.
type chunk struct {
	first   uint64 // the number of the first packet
	packets []passage
	samples []report.Sample
	memory  []byte
}

// A passage is one packet on one link.
type passage struct {
	pipe          *pipe
	sent, arrived time.Duration // arrived: -1 if it did not
	comment       string
	dropped       bool
	copies        int
	off, length   int // in the chunk's memory
}

func newRecorder(n *Network) *recorder {
	return &recorder{net: n, on: n.opts.record >= 0, limit: n.opts.record}
}

func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// room is the chunk to write to. The lock is held.
func (r *recorder) room() *chunk {
	if n := len(r.chunks); n > 0 && r.chunks[n-1].bytes() < chunkBytes {
		return r.chunks[n-1]
	}
	first := uint64(0)
	if n := len(r.chunks); n > 0 {
		last := r.chunks[n-1]
		first = last.first + uint64(len(last.packets))
	}
	for len(r.chunks) > 0 && (len(r.chunks)+1)*chunkBytes > r.limit {
		r.dropped.packets += len(r.chunks[0].packets)
		r.dropped.samples += len(r.chunks[0].samples)
		r.chunks[0] = nil
		r.chunks = r.chunks[1:]
	}
	c := &chunk{first: first}
	r.chunks = append(r.chunks, c)
	return c
}

// bytes is about what the chunk takes.
func (c *chunk) bytes() int { return len(c.memory) + 96*len(c.packets) + 160*len(c.samples) }

// sent remembers packets that a port sends, and gives each a serial number, by
// which it is known again. The frames are the pipe's own.
func (r *recorder) sent(p *pipe, now time.Duration, frames []link.Frame) {
	if !r.on {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range frames {
		f := &frames[i]
		c := r.room()
		off := len(c.memory)
		c.memory = f.AppendTo(c.memory)
		c.packets = append(c.packets, passage{pipe: p, sent: now, arrived: -1, off: off, length: f.Len()})
		f.Serial = c.first + uint64(len(c.packets))
	}
}

// arrived remembers that packets came out of a pipe.
func (r *recorder) arrived(now time.Duration, frames []link.Frame) {
	if !r.on {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range frames {
		k := r.packet(frames[i].Serial)
		switch {
		case k == nil:
		case k.arrived >= 0:
			k.copies++
		default:
			k.arrived = now
			if c := frames[i].Comment; c != "" {
				k.comment = c
			}
		}
	}
}

// lostOnTheWay remembers that what was on its way over a link did not arrive.
func (r *recorder) lostOnTheWay(l *Link) {
	if !r.on {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.chunks {
		for i := range c.packets {
			if k := &c.packets[i]; k.pipe.link == l && k.arrived < 0 && !k.dropped {
				k.dropped, k.comment = true, "lost: the link was cut"
			}
		}
	}
}

// lost remembers why a packet will not arrive.
func (r *recorder) lost(serial uint64, why string) {
	if !r.on {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.packet(serial); k != nil {
		k.dropped, k.comment = true, why
	}
}

// packet finds a passage by its serial number, which is one more than its
// number; nil if it is forgotten. The lock is held.
func (r *recorder) packet(serial uint64) *passage {
	if serial == 0 {
		return nil
	}
	number := serial - 1
	i, found := slices.BinarySearchFunc(r.chunks, number, func(c *chunk, n uint64) int {
		switch {
		case n < c.first:
			return 1
		case n >= c.first+uint64(len(c.packets)):
			return -1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &r.chunks[i].packets[number-r.chunks[i].first]
}

// note remembers that something was done to the network, or to a node of it.
func (r *recorder) note(node int, kind, text string) {
	if !r.on {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.notes) == maxNotes {
		r.dropped.notes++
		return
	}
	r.notes = append(r.notes, report.Note{At: r.net.Now(), Node: node, Kind: kind, Text: text})
}

// sample remembers how a connection is.
func (r *recorder) sample(h *Host, p *berth.Probe) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	c := r.room()
	c.samples = append(c.samples, report.Sample{
		At: r.net.Now(), Node: h.index, Local: p.Local, Remote: p.Remote, State: p.State.String(),
		Cwnd: p.Cwnd, SSThresh: p.SSThresh, Flight: p.Flight, SndWnd: p.SndWnd, RcvWnd: p.RcvWnd,
		SRTT: p.SRTT, RTO: p.RTO, Una: p.Una, Nxt: p.Nxt,
	})
}

// event is told of what a line does to a packet.
func (r *recorder) event(p *pipe, e *impair.Event) {
	if e.Cause.Dropped() {
		r.lost(e.Frame.Serial, e.Comment())
	}
	if !random(e.Cause) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, Fault{Way: p.name, Packet: e.Packet, Cause: e.Cause})
	}
}
