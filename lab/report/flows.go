package report

import (
	"fmt"
	"net/netip"

	"example.com/berth/internal/header"
)

// flow is packets with one five-tuple, in both directions; of protocols without
// ports what comes nearest. A TCP connection that has the five-tuple of an
// earlier one is a flow of its own.
type flow struct {
	protocol string // TCP, UDP, ICMP, ND, ARP, ...
	src, dst netip.AddrPort
	again    int // how many earlier ones have the same ends
	before   int // the latest of them
	streams  [2]stream

	// begun tells of each direction whether the node that has the source address
	// has sent something.
	begun [2]bool
	// What was sent at its origin, and what was lost anywhere, each way.
	packets, bytes, resent, lost [2]int
}

// name says which flow it is.
func (f *flow) name() string {
	text := f.protocol
	if f.src.Addr().IsValid() {
		text += fmt.Sprintf(" %s → %s", endpoint(f.src), endpoint(f.dst))
	}
	if f.again > 0 {
		text += fmt.Sprintf(" (%d)", f.again+1)
	}
	return text
}

// chatter is what the network says to itself.
func (f *flow) chatter() bool {
	switch f.protocol {
	case "ARP", "ND", "MLD", "IGMP":
		return true
	}
	return false
}

// position is where a packet stands in its flow.
type position struct {
	flow  int
	marks marks
	// Of TCP, relative to the first number of their stream.
	seq, end, ack int64
	window        int // bytes
	scaled        bool
	sack          [][2]int64
	dup           int // which duplicate acknowledgement it is
}

// way is 1 for a packet that goes back, to the flow's first end.
func (p *position) way() int {
	if p.marks&markBack != 0 {
		return 1
	}
	return 0
}

// tuple is one direction's key.
type tuple struct {
	protocol string
	src, dst netip.AddrPort
	id       uint32 // of an echo, or of a packet in fragments
}

// flows finds the flow of each packet.
type flows struct {
	all   []*flow
	of    map[tuple]way
	parts map[tuple]way        // fragments, by the identification of their packet
	owner map[netip.Addr][]int // which nodes have an address
	kinds []string             // of nodes
}

// way is a flow in one of its directions.
type way struct {
	flow int
	back bool
}

func newFlows(nodes []Node) *flows {
	fs := &flows{of: make(map[tuple]way), parts: make(map[tuple]way), owner: make(map[netip.Addr][]int)}
	for i, n := range nodes {
		fs.kinds = append(fs.kinds, n.Kind)
		for _, text := range n.Addrs {
			if a, ok := address(text); ok {
				fs.owner[a] = append(fs.owner[a], i)
			}
		}
	}
	return fs
}

// address reads an address with or without a prefix length.
func address(s string) (netip.Addr, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Addr(), true
	}
	a, err := netip.ParseAddr(s)
	return a.WithZone(""), err == nil
}

// owns tells whether a node is the one that an address belongs to. An address
// that nobody is known to have may be any host's.
func (fs *flows) owns(node int, a netip.Addr) bool {
	owners, known := fs.owner[a]
	if !known {
		return fs.kinds[node] == Host
	}
	for _, o := range owners {
		if o == node {
			return true
		}
	}
	return false
}

// see places a packet that was sent from one node to another.
func (fs *flows) see(r *reading, p *Packet, from, to int) position {
	pos := position{marks: fate(p)}
	if r.kind == damaged {
		pos.marks |= markDamaged
	}
	if r.ecn() == ce {
		pos.marks |= markCE
	}
	w := fs.find(r)
	f := fs.all[w.flow]
	pos.flow = w.flow
	if w.back {
		pos.marks |= markBack
	}
	pos.marks |= fs.path(f, &pos, r, from, to)
	if r.kind == tcp {
		side := pos.way()
		f.streams[side].see(&f.streams[1-side], r, &pos)
	}
	f.count(&pos, p)
	return pos
}

// path tells whether a packet begins or ends its path on this link. The
// addresses of its ends say so; but what an IPv4 NAT hands on has another
// five-tuple on either side of it, so that its flow begins or ends there.
func (fs *flows) path(f *flow, pos *position, r *reading, from, to int) (m marks) {
	if r.ip == 0 {
		return markOrigin | markFinal
	}
	if fs.owns(from, r.src.Addr()) {
		f.begun[pos.way()] = true
		m |= markOrigin
	} else if fs.translates(from, r) && !f.begun[pos.way()] {
		m |= markOrigin
	}
	if fs.owns(to, r.dst.Addr()) || fs.translates(to, r) {
		m |= markFinal
	}
	return m
}

func (fs *flows) translates(node int, r *reading) bool { return fs.kinds[node] == NAT && r.ip == 4 }

func (f *flow) count(pos *position, p *Packet) {
	side := pos.way()
	if pos.marks&markDropped != 0 {
		f.lost[side]++
	}
	if pos.marks&markOrigin == 0 {
		return
	}
	f.packets[side]++
	f.bytes[side] += p.Len
	if pos.marks&markResent != 0 {
		f.resent[side]++
	}
}

// find returns the flow of a packet, which it makes if there is none.
func (fs *flows) find(r *reading) way {
	if src, dst, protocol, ok := r.quoted(); ok {
		if w, known := fs.of[tuple{protocol: protocolName(protocol), src: src, dst: dst}]; known {
			// The error concerns the sender of what it quotes: it comes to it.
			return way{w.flow, !w.back}
		}
	}
	key := r.tuple()
	part := key
	part.src, part.dst = netip.AddrPortFrom(key.src.Addr(), 0), netip.AddrPortFrom(key.dst.Addr(), 0)
	part.id = r.identification()
	if r.kind == fragment {
		if w, known := fs.parts[part]; known {
			return w
		}
	}
	w, known := fs.of[key]
	if known && r.kind == tcp {
		if f := fs.all[w.flow]; f.streams[side(w.back)].another(&r.tcp) {
			known = false
		}
	}
	if !known {
		w = fs.add(key)
	}
	if r.pieces && r.kind != fragment {
		fs.parts[part] = w
	}
	return w
}

func side(back bool) int {
	if back {
		return 1
	}
	return 0
}

func (fs *flows) add(key tuple) way {
	f := &flow{protocol: key.protocol, src: key.src, dst: key.dst}
	if w, known := fs.of[key]; known {
		f.again, f.before = fs.all[w.flow].again+1, w.flow
	}
	w := way{flow: len(fs.all)}
	fs.all = append(fs.all, f)
	fs.of[key] = w
	if back := (tuple{key.protocol, key.dst, key.src, key.id}); back != key {
		fs.of[back] = way{w.flow, true}
	}
	return w
}

// tuple is what names the flow of a packet. What the network says to itself
// (ARP, neighbor discovery, groups) has one flow a protocol.
func (r *reading) tuple() tuple {
	switch {
	case r.kind == arp:
		return tuple{protocol: "ARP"}
	case r.kind == damaged && r.ip == 0, r.kind == unknown:
		return tuple{protocol: "not IP"}
	case r.isND():
		return tuple{protocol: "ND"}
	case r.isMLD():
		return tuple{protocol: "MLD"}
	case r.protocol == header.ProtocolIGMP:
		return tuple{protocol: "IGMP"}
	case r.isEcho():
		return tuple{protocol: r.icmpName(), src: r.src, dst: r.dst, id: uint32(r.icmp.ID())}
	}
	return tuple{protocol: protocolName(r.protocol), src: r.src, dst: r.dst}
}
