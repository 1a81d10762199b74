package report

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/link"
)

var (
	alice = netip.MustParseAddrPort("10.0.0.1:1000")
	bob   = netip.MustParseAddrPort("10.0.1.2:80")
)

const ms = time.Millisecond

// tcpPacket builds a TCP segment in an IPv4 packet.
func tcpPacket(src, dst netip.AddrPort, h header.TCP, payload string) []byte {
	h.SrcPort, h.DstPort = src.Port(), dst.Port()
	n := h.HeaderLen() + len(payload)
	sum := header.PseudoSum(src.Addr(), dst.Addr(), header.ProtocolTCP, n)
	h.Checksum = header.Fold(header.Sum(append(h.Append(nil), payload...), sum))
	ip := header.IPv4{TTL: 64, Protocol: header.ProtocolTCP, Src: src.Addr(), Dst: dst.Addr(), PayloadLen: n}
	return append(h.Append(ip.Append(nil)), payload...)
}

// segmentOf is a segment with the numbers that matter most.
func segmentOf(flags header.TCPFlags, seq, ack uint32) header.TCP {
	return header.TCP{Flags: flags, Seq: seqnum.Value(seq), Ack: seqnum.Value(ack), Window: 1000}
}

// builder puts packets on links, a millisecond after each other.
type builder struct{ Recording }

// chain is nodes in a row, with links of a millisecond between them.
func chain(nodes ...Node) *builder {
	b := &builder{Recording{Title: "TestChain", Seed: 7, Nodes: nodes}}
	for i := 1; i < len(nodes); i++ {
		b.Links = append(b.Links, Link{Name: nodes[i-1].Name + "-" + nodes[i].Name, A: i - 1, B: i, AtoB: "1ms", BtoA: "1ms", Medium: link.IP})
	}
	return b
}

func pairOf() *builder {
	return chain(Node{"alice", Host, []string{"10.0.0.1/24"}}, Node{"bob", Host, []string{"10.0.1.2"}})
}

// put adds a packet on a link; a comment of "lost" drops it.
func (b *builder) put(onLink int, fromA bool, data []byte, comment string) *Packet {
	p := Packet{Link: onLink, FromA: fromA, Sent: b.Length, Arrived: b.Length + ms, Comment: comment, Data: data, Len: len(data)}
	if comment == "lost" {
		p.Dropped, p.Arrived = true, 0
	}
	b.Length += ms
	b.Packets = append(b.Packets, p)
	return &b.Packets[len(b.Packets)-1]
}

// there and back are segments between alice and bob on the first link.
func (b *builder) there(h header.TCP, payload, comment string) *Packet {
	return b.put(0, true, tcpPacket(alice, bob, h, payload), comment)
}

func (b *builder) back(h header.TCP, payload, comment string) *Packet {
	return b.put(0, false, tcpPacket(bob, alice, h, payload), comment)
}

// conversation is a connection with a loss, whose numbers wrap.
func conversation() *builder {
	const iss, irs = 0xffff_fff0, 5000
	const first = (iss + 1) & 0xffff_ffff
	b := pairOf()
	syn := segmentOf(header.SYN, iss, 0)
	syn.Options = header.TCPOptions{MSS: 1460, HasWScale: true, WScale: 7, SACKPermitted: true}
	b.there(syn, "", "")
	syn.Flags, syn.Seq, syn.Ack = header.SYN|header.ACK, irs, first
	b.back(syn, "", "")
	b.there(segmentOf(header.ACK, first, irs+1), "", "")
	b.there(segmentOf(header.ACK|header.PSH, first, irs+1), "GET / HTTP/1.1\r\n\r\n", "lost")
	next := uint32((first + 18) & 0xffff_ffff)
	b.there(segmentOf(header.ACK|header.PSH, next, irs+1), "more", "duplicated").Copies = 1
	sack := segmentOf(header.ACK, irs+1, first)
	sack.Options.SACKCount = 1
	sack.Options.SACK[0] = header.SACKBlock{Left: seqnum.Value(next), Right: seqnum.Value(next + 4)}
	b.back(sack, "", "")
	b.back(sack, "", "corrupted: bit 17")
	b.there(segmentOf(header.ACK|header.PSH, first, irs+1), "GET / HTTP/1.1\r\n\r\n", "")
	b.back(segmentOf(header.ACK|header.FIN, irs+1, next+4), "", "")
	b.there(segmentOf(header.RST, next+4, 0), "", "")
	b.Notes = []Note{{At: 2 * ms, Node: 0, Kind: "log", Text: "connected"}, {At: 3 * ms, Node: -1, Kind: "cut", Text: "alice-bob"}}
	b.Samples = []Sample{{At: 3 * ms, Local: alice, Remote: bob, State: "ESTABLISHED", Cwnd: 14600, SSThresh: -1, Una: first, Nxt: next}}
	b.Tables = []Table{{Node: 0, Text: "tcp ESTABLISHED\n"}}
	return b
}
