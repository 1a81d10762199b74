package report

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ladder"
)

// fields is what a packet's headers say, for people: a line for each header,
// its name and then names and values in turn, parted by tabs.
type fields struct{ b strings.Builder }

// plain takes from a text what parts fields.
var plain = strings.NewReplacer("\t", " ", "\n", " ")

func (f *fields) layer(name string) {
	if f.b.Len() > 0 {
		f.b.WriteByte('\n')
	}
	f.b.WriteString(name)
}

func (f *fields) add(name, value string) {
	f.b.WriteByte('\t')
	f.b.WriteString(name)
	f.b.WriteByte('\t')
	f.b.WriteString(plain.Replace(value))
}

func (f *fields) addf(name, format string, args ...any) { f.add(name, fmt.Sprintf(format, args...)) }

// fields lists the headers of a frame; p has the relative numbers of TCP.
func (r *reading) fields(p *position) string {
	var f fields
	if r.hasEth {
		f.layer("Ethernet")
		f.add("Source", r.eth.Src.String())
		f.add("Destination", r.eth.Dst.String())
		f.addf("Type", "0x%04x", r.eth.Type)
	}
	if r.ip != 0 {
		r.ipFields(&f)
	}
	switch r.kind {
	case damaged:
		f.layer("Damaged")
		f.add("Reason", r.err.Error())
	case arp:
		r.arpFields(&f)
	case tcp:
		r.tcpFields(&f, p)
	case udp:
		f.layer("UDP")
		f.addf("Ports", "%d → %d", r.udp.SrcPort, r.udp.DstPort)
		f.addf("Checksum", "0x%04x (%s)", r.udp.Checksum, r.sum(header.ProtocolUDP))
		f.addf("Payload", "%d bytes", len(r.body))
	case icmp4, icmp6:
		r.icmpFields(&f)
	}
	if text := excerpt(r.body, 200); text != "" && (r.kind == tcp || r.kind == udp) {
		f.layer("Text")
		f.add("Begins", text)
	}
	return f.b.String()
}

var ecnNames = [...]string{notECT: "not ECN-capable", ect1: "ECT(1)", ect0: "ECT(0)", ce: "CE: congestion experienced"}

func (r *reading) ipFields(f *fields) {
	if r.ip == 4 {
		h := &r.ip4
		f.layer("IPv4")
		f.add("Source", h.Src.String())
		f.add("Destination", h.Dst.String())
		f.add("Protocol", protocolName(h.Protocol))
		f.addf("TTL", "%d", h.TTL)
		f.addf("Identification", "0x%04x", h.ID)
		if h.DF {
			f.add("Flags", "don't fragment")
		}
		if r.pieces {
			f.addf("Fragment", "offset %d, more fragments: %v", h.Offset, h.MF)
		}
		f.addf("DSCP, ECN", "%d, %s", h.TOS>>2, ecnNames[h.TOS&3])
		f.addf("Length", "%d bytes", h.HeaderLen()+h.PayloadLen)
		if len(h.Options) > 0 {
			f.add("Options", hex.EncodeToString(h.Options))
		}
		return
	}
	h := &r.ip6
	f.layer("IPv6")
	f.add("Source", h.Src.String())
	f.add("Destination", h.Dst.String())
	f.add("Next header", protocolName(h.NextHeader))
	f.addf("Hop limit", "%d", h.HopLimit)
	f.addf("DSCP, ECN", "%d, %s", h.TrafficClass>>2, ecnNames[h.TrafficClass&3])
	f.addf("Flow label", "0x%05x", h.FlowLabel)
	f.addf("Payload", "%d bytes", h.PayloadLen)
	if r.ext.HeaderLen > 0 {
		f.addf("Extension headers", "%d bytes, then %s", r.ext.HeaderLen, protocolName(r.protocol))
	}
	if r.ext.HasFragment {
		x := &r.ext.Fragment
		f.addf("Fragment", "id 0x%08x, offset %d, more fragments: %v", x.ID, x.Offset, x.More)
	}
}

func (r *reading) arpFields(f *fields) {
	f.layer("ARP")
	f.add("Operation", map[uint16]string{header.ARPRequest: "request", header.ARPReply: "reply"}[r.arp.Op])
	f.addf("Sender", "%v at %v", r.arp.Sender, r.arp.SenderHW)
	f.addf("Target", "%v at %v", r.arp.Target, r.arp.TargetHW)
}

func (r *reading) tcpFields(f *fields, p *position) {
	h := &r.tcp
	f.layer("TCP")
	f.addf("Ports", "%d → %d", h.SrcPort, h.DstPort)
	f.add("Flags", ladder.FlagWords(h.Flags))
	f.addf("Sequence", "%d (relative), %d", p.seq, uint32(h.Seq))
	if p.end != p.seq {
		f.addf("Next sequence", "%d (relative)", p.end)
	}
	if h.Flags.Has(header.ACK) {
		f.addf("Acknowledgement", "%d (relative), %d", p.ack, uint32(h.Ack))
	}
	f.add("Window", p.windowText(h))
	f.addf("Checksum", "0x%04x (%s)", h.Checksum, r.sum(header.ProtocolTCP))
	if h.Flags.Has(header.URG) {
		f.addf("Urgent pointer", "%d", h.Urgent)
	}
	f.addf("Payload", "%d bytes", len(r.body))
	if p.marks&markResent != 0 {
		f.add("Remark", "sent before, all or a part")
	}
	if p.marks&markKeepAlive != 0 {
		f.add("Remark", "keep-alive")
	}
	if p.marks&markDupACK != 0 {
		f.addf("Remark", "duplicate acknowledgement %d", p.dup)
	}
	r.optionFields(f, p)
}

func (r *reading) optionFields(f *fields, p *position) {
	o := &r.tcp.Options
	if o.Len() == 0 && !o.Malformed {
		return
	}
	f.layer("TCP options")
	if o.MSS != 0 {
		f.addf("Maximum segment size", "%d", o.MSS)
	}
	if o.HasWScale {
		f.addf("Window scale", "%d (× %d)", o.WScale, 1<<min(o.WScale, 14))
	}
	if o.SACKPermitted {
		f.add("SACK permitted", "yes")
	}
	if o.HasTS {
		f.addf("Timestamps", "value %d, echo %d", o.TSVal, o.TSEcr)
	}
	for _, b := range p.sack {
		f.addf("SACK", "%d to %d (relative)", b[0], b[1])
	}
	if o.Malformed {
		f.add("Malformed", "the length of an option is impossible")
	}
}

func (r *reading) icmpFields(f *fields) {
	f.layer(r.icmpName())
	f.addf("Type, code", "%d, %d (%s)", r.icmp.Type, r.icmp.Code, r.icmpMeaning())
	if r.isEcho() {
		f.addf("Identifier, sequence", "%d, %d", r.icmp.ID(), r.icmp.Seq())
	}
	f.addf("Checksum", "0x%04x (%s)", r.icmp.Checksum, r.sum(header.ProtocolICMPv6))
	if src, dst, protocol, ok := r.quoted(); ok {
		f.layer("About")
		f.add("Protocol", protocolName(protocol))
		f.add("Source", endpoint(src))
		f.add("Destination", endpoint(dst))
	}
	f.addf("Payload", "%d bytes", len(r.body))
}

// sum tells whether the transport's checksum is right.
func (r *reading) sum(protocol uint8) string {
	switch {
	case r.cut || r.pieces:
		return "not verified: not all was recorded"
	case r.kind == udp && r.udp.Checksum == 0:
		return "none"
	}
	var pseudo uint32
	if r.kind != icmp4 {
		pseudo = header.PseudoSum(r.src.Addr(), r.dst.Addr(), protocol, len(r.segment))
	}
	if header.Fold(header.Sum(r.segment, pseudo)) == 0 {
		return "good"
	}
	return "wrong"
}

func protocolName(p uint8) string {
	switch p {
	case header.ProtocolICMP:
		return "ICMP"
	case header.ProtocolIGMP:
		return "IGMP"
	case header.ProtocolTCP:
		return "TCP"
	case header.ProtocolUDP:
		return "UDP"
	case header.ProtocolICMPv6:
		return "ICMPv6"
	case header.ProtocolHopByHop:
		return "hop-by-hop options"
	case header.ProtocolFragment:
		return "fragment"
	}
	return fmt.Sprintf("protocol %d", p)
}

// endpoint is an address with its port, if there is one.
func endpoint(a netip.AddrPort) string {
	if a.Port() == 0 {
		return a.Addr().String()
	}
	return a.String()
}

// excerpt is the first line of a payload that begins as text does, at most n
// bytes of it; else empty.
func excerpt(b []byte, n int) string {
	b = b[:min(len(b), n)]
	end := 0
	for end < len(b) {
		c, size := utf8.DecodeRune(b[end:])
		if c == utf8.RuneError || c < ' ' || c == 0x7f {
			break
		}
		end += size
	}
	if end < 4 {
		return ""
	}
	return string(b[:end])
}
