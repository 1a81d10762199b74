package report

import (
	"fmt"

	"example.com/berth/internal/header"
)

// stream is what is known of one direction of a TCP connection.
type stream struct {
	known bool
	first uint32 // the initial sequence number
	next  int64  // the highest that was sent, and one; relative, as all below

	synced bool // its SYN was seen, so that what is known of its window's scale is
	scaled bool // that SYN had the option
	scale  uint8

	// sent has, by what tells segments apart, whether one was sent before. The
	// segment is found again on the further links of its path.
	sent map[segment]position

	ack     int64 // the last acknowledgement, with its window, and how
	window  int   // often it was repeated
	repeats int
}

// segment is what tells a segment from others of its stream.
type segment struct {
	seq, ack int64
	len      int
	flags    header.TCPFlags
	id, ts   uint32
}

// another tells whether a SYN begins a new connection.
func (s *stream) another(h *header.TCP) bool {
	return s.known && h.Flags&(header.SYN|header.ACK) == header.SYN && uint32(h.Seq) != s.first
}

// relative is a number's distance from the first: the one that lies nearest to
// what was sent last.
func (s *stream) relative(seq uint32) int64 {
	return s.next + int64(int32(seq-(s.first+uint32(s.next))))
}

// has tells whether a number was sent, or is the next one.
func (s *stream) has(seq uint32) bool {
	n := s.relative(seq)
	return s.known && n >= 0 && n <= s.next
}

// begin takes a number for the first one, if there is none yet.
func (s *stream) begin(first uint32) {
	if !s.known {
		s.known, s.first = true, first
	}
}

// see places a segment in the stream; back is the other direction's.
func (s *stream) see(back *stream, r *reading, p *position) {
	h := &r.tcp
	syn := h.Flags.Has(header.SYN)
	switch {
	case syn && !s.synced:
		// It is the first number, also if data came first by another way.
		*s = stream{known: true, first: uint32(h.Seq), synced: true, scaled: h.Options.HasWScale, scale: min(h.Options.WScale, 14)}
	default:
		s.begin(uint32(h.Seq) - 1)
	}
	p.seq = s.relative(uint32(h.Seq))
	p.end = p.seq + int64(len(r.body))
	if h.Flags&(header.SYN|header.FIN) != 0 {
		p.end++
	}
	if h.Flags.Has(header.ACK) {
		back.begin(uint32(h.Ack) - 1)
		p.ack = back.relative(uint32(h.Ack))
		for _, b := range h.Options.SACK[:h.Options.SACKCount] {
			p.sack = append(p.sack, [2]int64{back.relative(uint32(b.Left)), back.relative(uint32(b.Right))})
		}
	}
	p.window = int(h.Window)
	if !syn && s.scaled && back.scaled {
		p.window <<= s.scale
		p.scaled = true
	}
	if p.window == 0 && !syn && !h.Flags.Has(header.RST) {
		p.marks |= markZero
	}
	s.judge(back, r, p)
}

// judge marks what was sent before. It is judged where the segment was sent;
// further on its path it is the same.
func (s *stream) judge(back *stream, r *reading, p *position) {
	h := &r.tcp
	key := segment{p.seq, p.ack, len(r.body), h.Flags, r.identification(), h.Options.TSVal}
	if p.marks&markOrigin == 0 {
		if was, ok := s.sent[key]; ok {
			p.marks |= was.marks
			p.dup = was.dup
		}
		return
	}
	var m marks
	bare := h.Flags&(header.SYN|header.FIN|header.RST) == 0
	switch {
	case bare && len(r.body) <= 1 && p.seq == s.next-1 && s.next > 1 && back.ack >= s.next:
		m = markKeepAlive
	case p.end != p.seq && p.seq < s.next:
		m = markResent
	}
	if bare && len(r.body) == 0 && m == 0 && h.Flags.Has(header.ACK) {
		p.dup = s.duplicate(back, p)
		if p.dup > 0 {
			m |= markDupACK
		}
	}
	if h.Flags.Has(header.ACK) && (p.ack != s.ack || len(r.body) > 0) {
		s.repeats = 0
	}
	s.ack, s.window = p.ack, p.window
	s.next = max(s.next, p.end)
	p.marks |= m
	if s.sent == nil {
		s.sent = make(map[segment]position)
	}
	s.sent[key] = position{marks: m, dup: p.dup}
}

// duplicate counts how often an acknowledgement has been repeated while data is
// outstanding (RFC 5681 section 2).
func (s *stream) duplicate(back *stream, p *position) int {
	if p.ack != s.ack || p.window != s.window || back.next <= p.ack {
		return 0
	}
	s.repeats++
	return s.repeats
}

// windowText says how large the window is that a segment offers.
func (p *position) windowText(h *header.TCP) string {
	if p.scaled {
		return fmt.Sprintf("%d bytes (%d, scaled)", p.window, h.Window)
	}
	return fmt.Sprintf("%d bytes", p.window)
}
