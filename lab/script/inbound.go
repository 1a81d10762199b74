package script

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// encode makes the bytes of a packet that comes in.
func (r *run) encode(k *packet) ([]byte, *Error) {
	switch k.protocol {
	case header.ProtocolTCP:
		f := r.flowIn(k)
		return r.packIP(k, f, header.ProtocolTCP, r.segment(k, f)), nil
	case header.ProtocolUDP:
		f := r.flowIn(k)
		return r.packIP(k, f, header.ProtocolUDP, r.datagram(k.payload, f.remote, f.local)), nil
	}
	return r.icmpIn(k)
}

// flowIn is the flow that a packet of the peer belongs to. A SYN begins one,
// unless it is for a connection that there is.
func (r *run) flowIn(k *packet) *flow {
	syn := k.protocol == header.ProtocolTCP && k.tcp.flags&(header.SYN|header.ACK|header.RST) == header.SYN
	for i := len(r.flows) - 1; i >= 0; i-- {
		f := r.flows[i]
		switch {
		case k.srcPort != 0 && k.srcPort != f.scriptRemote, k.dstPort != 0 && k.dstPort != f.scriptLocal,
			k.srcPort == 0 && f.scriptRemote != 0 && !syn && i != len(r.flows)-1:
			continue
		case syn && f.generation != r.generation && !r.lives(f), syn && k.srcPort == 0 && f.scriptRemote != 0:
			continue
		case syn && f.generation != r.generation && r.passive, syn && f.knowsLocal && !r.lives(f):
			continue
		}
		return f
	}
	f := &flow{
		scriptLocal: k.dstPort, scriptRemote: k.srcPort, generation: r.generation,
		local: netip.AddrPortFrom(r.setup.local, r.port), remoteBase: remoteBase,
	}
	if k.dstPort != 0 {
		f.local = netip.AddrPortFrom(r.setup.local, k.dstPort)
	}
	port := k.srcPort
	if port == 0 {
		r.nextPort++
		port = r.nextPort
	}
	f.remote = netip.AddrPortFrom(r.setup.remote, port)
	r.flows = append(r.flows, f)
	return f
}

// lives tells whether the host still knows the connection of a flow.
func (r *run) lives(f *flow) bool {
	for _, s := range r.world.sockets() {
		if plain(s.Local) == f.local && plain(s.Remote) == f.remote {
			return true
		}
	}
	return false
}

// plain is an address without its IPv6 form, if it is one of IPv4.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// segment encodes a TCP segment of the peer.
func (r *run) segment(k *packet, f *flow) []byte {
	syn := k.tcp.flags&header.SYN != 0
	if syn && !f.knowsRemote {
		f.remoteISN, f.knowsRemote = k.tcp.seq, true
	}
	h := header.TCP{
		SrcPort: f.remote.Port(), DstPort: f.local.Port(), Flags: k.tcp.flags,
		Seq: seqnum.Value(f.peerNumber(k.tcp.seq, syn)), Window: k.tcp.win, Urgent: k.tcp.urg,
	}
	if k.tcp.flags&header.ACK != 0 || k.tcp.ack != 0 {
		h.Ack = seqnum.Value(f.hostNumber(k.tcp.ack, syn))
	}
	b := h.Append(nil)
	for i := range k.tcp.options {
		o := k.tcp.options[i].resolved(f)
		b = o.append(b, f)
	}
	for len(b)%4 != 0 {
		b = append(b, optEnd)
	}
	b[12] = uint8(len(b)/4)<<4 | b[12]&1
	b = append(b, make([]byte, k.payload)...)
	for i := range k.tcp.options {
		if o := &k.tcp.options[i]; o.sign {
			r.sign(b, o, f)
		}
	}
	putChecksum(b, 16, header.ProtocolTCP, f.remote.Addr(), f.local.Addr())
	return b
}

// append encodes an option of the peer.
func (o *tcpOption) append(b []byte, f *flow) []byte {
	b = append(b, o.kind)
	if o.kind == optEnd || o.kind == optNop {
		return b
	}
	b = append(b, uint8(o.size()))
	switch o.kind {
	case optTimestamps:
		b = binary.BigEndian.AppendUint32(b, o.val)
		return binary.BigEndian.AppendUint32(b, f.echo(o.ecr))
	case optSACK:
		for _, s := range o.blocks {
			b = binary.BigEndian.AppendUint32(b, f.hostNumber(s[0], false))
			b = binary.BigEndian.AppendUint32(b, f.hostNumber(s[1], false))
		}
		return b
	}
	return append(b, o.data...)
}

// datagram encodes UDP.
func (r *run) datagram(n int, src, dst netip.AddrPort) []byte {
	h := header.UDP{SrcPort: src.Port(), DstPort: dst.Port(), PayloadLen: n}
	b := append(h.Append(nil), make([]byte, n)...)
	putChecksum(b, 6, header.ProtocolUDP, src.Addr(), dst.Addr())
	return b
}

func putChecksum(b []byte, at int, protocol uint8, src, dst netip.Addr) {
	sum := header.Sum(b, header.PseudoSum(src, dst, protocol, len(b)))
	check := header.Fold(sum)
	if protocol == header.ProtocolUDP {
		check = header.FoldUDP(sum)
	}
	binary.BigEndian.PutUint16(b[at:], check)
}

// packIP puts the IP header before what it carries.
func (r *run) packIP(k *packet, f *flow, protocol uint8, b []byte) []byte {
	ttl := k.ip.ttl
	if ttl == 0 {
		ttl = 64
	}
	return packIP(f.remote.Addr(), f.local.Addr(), protocol, k.ip.tos, ttl, k.ip.label, b)
}

func packIP(src, dst netip.Addr, protocol, tos, ttl uint8, label uint32, b []byte) []byte {
	if src.Is4() {
		h := header.IPv4{TOS: tos, PayloadLen: len(b), DF: true, TTL: ttl, Protocol: protocol, Src: src, Dst: dst}
		return append(h.Append(nil), b...)
	}
	h := header.IPv6{TrafficClass: tos, FlowLabel: label, PayloadLen: len(b), NextHeader: protocol, HopLimit: ttl, Src: src, Dst: dst}
	return append(h.Append(nil), b...)
}
