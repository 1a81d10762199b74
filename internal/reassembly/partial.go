package reassembly

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
)

// A partial is a packet of which fragments are missing.
type partial struct {
	key       Key
	source    *source
	deadline  time.Duration
	abandoned bool // swallows what is still to come
	held      int  // bytes of what the fragments take
	charged   int  // bytes in the table's books

	header     []byte // of the first fragment; nil until it is there
	nextHeader uint8  // IPv6: what follows the unfragmentable part
	namedAt    int    // IPv6: and where that is named

	ecn    uint8   // a bit for each codepoint that a fragment had
	have   int     // bytes of all pieces
	end    int     // where the packet ends; -1 until the last fragment is there
	pieces []piece // in order, without overlap
	inline [8]piece

	links [2]links
}

// A piece is the data of one fragment.
type piece struct {
	begin, end int
	data       []byte
	buf        *buffer.Buffer // holds data; may be nil
}

// search returns the index of the first piece that begins at offset or later.
// Fragments usually come in order, so it looks at the end first.
func (p *partial) search(offset int) int {
	if n := len(p.pieces); n == 0 || p.pieces[n-1].begin < offset {
		return n
	}
	at, _ := slices.BinarySearchFunc(p.pieces, offset, func(x piece, offset int) int { return x.begin - offset })
	return at
}

// place finds where a fragment belongs among the pieces. It must not overlap
// any, nor reach beyond the end or move it; a duplicate is one with the same
// place and the same bytes (RFC 8200 4.5).
func (p *partial) place(f *Fragment) (at int, duplicate bool, err error) {
	begin, end := f.Offset, f.Offset+len(f.Data)
	at = p.search(begin)
	if at < len(p.pieces) {
		next := &p.pieces[at]
		if next.begin == begin && next.end == end && f.More == (end != p.end) && bytes.Equal(next.data, f.Data) {
			return at, true, nil
		}
		if next.begin < end {
			return at, false, ErrOverlap
		}
	}
	if at > 0 && p.pieces[at-1].end > begin {
		return at, false, ErrOverlap
	}
	last := len(p.pieces) - 1
	if p.end >= 0 && end > p.end || !f.More && last >= 0 && p.pieces[last].end > end {
		return at, false, ErrOverlap
	}
	return at, false, nil
}

// insert keeps a fragment as the piece at index at.
func (p *partial) insert(at int, f *Fragment) {
	if f.Offset == 0 {
		p.setHeader(f)
	}
	if !f.More {
		p.end = f.Offset + len(f.Data)
	}
	p.ecn |= 1 << ecnOf(f.Header)
	p.have += len(f.Data)
	x := piece{begin: f.Offset, end: f.Offset + len(f.Data)}
	x.data, x.buf = hold(f.Data, f.Buffer)
	p.held += x.size()
	p.pieces = lean.Insert(p.pieces, at, x)
}

func (p *partial) setHeader(f *Fragment) {
	p.header = lean.Bytes(f.Header)
	p.held += len(p.header)
	p.nextHeader, p.namedAt = f.NextHeader, f.NamedAt
}

// hold makes data last. The buffer is shared if the data fill half of it; a
// small fragment in a large buffer is copied, or it would cost more than it is
// charged for.
func hold(data []byte, buf *buffer.Buffer) ([]byte, *buffer.Buffer) {
	n := len(data)
	switch {
	case buf != nil && buf.Size() <= 2*n:
		buf.Retain()
		return data, buf
	case n <= buffer.Medium && buffer.Medium <= 2*n:
		buf = buffer.Get(n)
		return buf.Bytes()[:copy(buf.Bytes(), data)], buf
	}
	return lean.Bytes(data), nil
}

// size is what holding the piece costs.
func (x *piece) size() int {
	if x.buf != nil {
		return fragmentOverhead + x.buf.Size()
	}
	return fragmentOverhead + len(x.data)
}

func (p *partial) release() {
	for i := range p.pieces {
		p.pieces[i].buf.Release()
	}
	p.pieces, p.header = nil, nil
	p.held = 0
}

// complete tells whether all is there: nothing overlaps, so that counting is
// enough.
func (p *partial) complete() bool { return p.have == p.end }

// ecnOf reads the ECN codepoint of an IP header.
func ecnOf(ip []byte) uint8 {
	if ip[0]>>4 == 4 {
		return ip[1] & 3
	}
	return ip[1] >> 4 & 3
}

// The bits of partial.ecn.
const (
	sawNotECT = 1 << 0
	sawCE     = 1 << 3
)

// mergeECN makes the packet congested if any fragment was, and reports whether
// the fragments agree whether the transport knows ECN at all (RFC 3168 5.3).
func (p *partial) mergeECN() bool {
	switch {
	case p.ecn&sawNotECT != 0:
		return p.ecn == sawNotECT
	case p.ecn&sawCE != 0 && p.header[0]>>4 == 4:
		p.header[1] |= 3
	case p.ecn&sawCE != 0:
		p.header[1] |= 3 << 4
	}
	return true
}

// tooLong tells whether the packet, whose first fragment may have the longest
// header, is longer than its length field can say.
func (p *partial) tooLong() bool {
	return p.end > room(p.key, p.header)
}

// join returns the whole packet.
func (p *partial) join() Packet {
	ip := p.header
	if p.key.Src.Is6() {
		ip = ip[:len(ip)-header.FragmentLen]
	}
	buf := buffer.Get(len(ip) + p.end)
	b := append(buf.Bytes()[:0], ip...)
	for i := range p.pieces {
		b = append(b, p.pieces[i].data...)
	}
	if p.key.Src.Is6() {
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-header.IPv6Len))
		b[p.namedAt] = p.nextHeader
	} else {
		b[6], b[7] = b[6]&^0x3f, 0 // no more fragments, no offset
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], header.Fold(header.Sum(b[:len(ip)], 0)))
	}
	return Packet{Bytes: b, Buffer: buf}
}

// maxQuote is the most that an ICMP error quotes: what fits 1280 bytes behind
// an IPv6 header and its own (RFC 4443 2.4 c).
const maxQuote = header.MinMTU6 - header.IPv6Len - header.ICMPLen

// quote returns the first fragment's packet, nil if that has not come.
func (p *partial) quote() []byte {
	if p.header == nil {
		return nil
	}
	data := p.pieces[0].data
	data = data[:min(len(data), max(maxQuote-len(p.header), 0))]
	return append(append(make([]byte, 0, len(p.header)+len(data)), p.header...), data...)
}
