package hello

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Of long headers, RFC 9000 17.2 and RFC 9369 3.
const (
	longHeader   = 0x80
	quic1        = 0x00000001
	quic2        = 0x6b3343cf
	quicDraft29  = 0xff00001d
	quicDraft34  = 0xff000022
	longestID    = 20
	sampleLength = 16
)

// Bounds on the connections that one flow begins.
const (
	maxPending = 4 // that have not said a name yet
	maxHeard   = 8 // whose keys are remembered; the oldest goes
)

// Datagrams reads what a client sends on one flow. The zero value is at its
// beginning.
//
// A client that has begun one connection of QUIC may begin another on the same
// ports, after anything else: so each of its datagrams is to be fed, for as long
// as the flow lives. For what is no Initial packet that costs a comparison.
type Datagrams struct {
	pending, heard []*initial
	asked          int // of those that were heard: have begun to say more
	problem        string
}

// Feed takes a datagram. If wait is true, it and those before that had to wait
// are to be held back. Said is what has been heard by it, one for each connection
// that is complete now, or a Problem, after which there is nothing but that.
func (d *Datagrams) Feed(b []byte) (said []Said, wait bool) {
	for d.problem == "" && len(b) > 0 && b[0]&longHeader != 0 {
		p, rest, ok := parseInitial(b)
		if !ok {
			d.problem = oldQUIC(b)
			break
		}
		if p.initial {
			if one, done := d.packet(&p); done {
				said = append(said, one)
			}
		}
		b = rest
	}
	if d.problem != "" {
		return []Said{{Kind: QUIC, Problem: d.problem}}, false
	}
	return said, len(d.pending)+d.asked > 0
}

// oldQUIC is what is wrong with a packet of a QUIC that came before the first
// version: servers may have it, and its names cannot be read.
func oldQUIC(b []byte) string {
	if len(b) < 5 {
		return ""
	}
	v := binary.BigEndian.Uint32(b[1:])
	google := (b[1] == 'Q' || b[1] == 'T') && b[2] == '0' && b[3]-'0' <= 9 && b[4]-'0' <= 9
	if google || v >= 0xff000000 && v <= quicDraft34 {
		return "the version of QUIC is too old to be read"
	}
	return ""
}

// packet gives an Initial packet to the connection that it belongs to.
func (d *Datagrams) packet(p *packet) (said Said, done bool) {
	for _, c := range d.heard {
		if payload, ok := c.keys.open(p); ok {
			d.again(c, payload)
			return Said{}, false
		}
	}
	for i, c := range d.pending {
		if payload, ok := c.keys.open(p); ok {
			return d.frames(i, payload)
		}
	}
	keys := newKeys(p.version, p.id)
	payload, ok := keys.open(p)
	switch {
	case !ok:
		return Said{}, false // nor will the server open it
	case len(d.pending) == maxPending:
		d.problem = "the flow begins too many connections of QUIC at once"
		return Said{}, false
	}
	d.pending = append(d.pending, &initial{keys: keys})
	return d.frames(len(d.pending)-1, payload)
}

// frames gives what a packet has to the i-th of those that have said no name yet.
func (d *Datagrams) frames(i int, payload []byte) (said Said, done bool) {
	c := d.pending[i]
	if !c.crypto.frames(payload) {
		d.problem = "an Initial packet is malformed"
		return Said{}, false
	}
	said, offers, need := clientHello(c.crypto.data())
	said.Kind = QUIC
	switch {
	case said.Problem != "":
		d.problem = said.Problem
		return Said{}, false
	case need > 0:
		return Said{}, false
	}
	c.names, c.read = said.Names, offers.length
	d.pending = append(d.pending[:i], d.pending[i+1:]...)
	if len(d.heard) == maxHeard {
		d.ask(d.heard[0], false)
		d.heard = append(d.heard[:0], d.heard[1:]...)
	}
	d.heard = append(d.heard, c)
	d.again(c, nil)
	return said, true
}

// again reads what a connection says that has named its server: the same again, or a
// second ClientHello, which a server may ask for (RFC 9001 4.7) and which is to name
// the same. What was said before is kept, since who says it in another way has a
// server that did not get the first.
func (d *Datagrams) again(c *initial, payload []byte) {
	if !c.crypto.frames(payload) {
		d.problem = "an Initial packet is malformed"
		return
	}
	more := c.crypto.data()[c.read:]
	said, offers, need := clientHello(more)
	d.ask(c, len(more) > 0 && need > 0)
	switch {
	case len(more) == 0 || need > 0:
	case said.Problem != "" || !slices.Equal(said.Names, c.names):
		d.problem = "the second ClientHello says another server name than the first"
	default:
		c.read += offers.length
	}
}

// ask notes whether a connection has begun to say more.
func (d *Datagrams) ask(c *initial, begun bool) {
	switch {
	case begun && !c.begun:
		d.asked++
	case !begun && c.begun:
		d.asked--
	}
	c.begun = begun
}

// An initial is a connection of which Initial packets have come.
type initial struct {
	keys   keys
	crypto crypto
	names  []string // that were heard
	read   int      // of crypto
	begun  bool     // there is more than was read
}

// A packet is one with a long header.
type packet struct {
	version uint32
	initial bool
	id      []byte // of the connection, which the client chose at first
	bytes   []byte // all of the packet, still protected
	number  int    // where in bytes the packet number is
}

// parseInitial reads the header of a packet of version 1 or 2, and what of it
// there is that is not protected. Rest is what follows in the datagram.
func parseInitial(b []byte) (p packet, rest []byte, ok bool) {
	r := reader{b: b}
	first := r.uint(1)
	p.version = uint32(r.uint(2))<<16 | uint32(r.uint(2))
	kinds := [4]bool{} // by the type: whether it is an Initial
	switch p.version {
	case quic1:
		kinds[0] = true
	case quic2:
		kinds[1] = true
	default:
		return p, nil, false
	}
	kind := first >> 4 & 3
	p.initial = kinds[kind]
	p.id = r.vector(1).b
	r.vector(1)
	if p.initial {
		r.take(r.varint()) // the token
	}
	retry := p.version == quic1 && kind == 3 || p.version == quic2 && kind == 0
	if r.bad || len(p.id) > longestID || retry {
		p.initial = false
		return p, nil, true // no server makes sense of it
	}
	length := r.varint()
	p.number = len(b) - len(r.b)
	if r.take(length); r.bad {
		p.initial = false
		return p, nil, true
	}
	p.bytes = b[:len(b)-len(r.b)]
	return p, r.b, true
}

// varint is an integer of RFC 9000 16. What is above all sizes here is one that
// is too large for any datagram.
func (r *reader) varint() int {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	n := 1 << (r.b[0] >> 6)
	b := bytes.Clone(r.take(n))
	if r.bad {
		return 0
	}
	b[0] &= 0x3f
	v := uint64(0)
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return int(min(v, 1<<30))
}
