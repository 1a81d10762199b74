package ladder

import (
	"fmt"
	"strings"

	"example.com/berth/internal/header"
)

// Label says what a packet is, in the words of packet traces, or of Text.
func (p *Packet) Label() string {
	switch {
	case p.Text != "":
		return p.Text
	case p.Protocol == header.ProtocolTCP:
		return p.tcpLabel()
	case p.Protocol == header.ProtocolUDP:
		return fmt.Sprintf("UDP  len %d", p.Len)
	case p.EchoRequest():
		return fmt.Sprintf("%s echo request  id %d  seq %d  len %d", p.icmpName(), p.ICMP.ID(), p.ICMP.Seq(), p.Len)
	case p.EchoReply():
		return fmt.Sprintf("%s echo reply  id %d  seq %d  len %d", p.icmpName(), p.ICMP.ID(), p.ICMP.Seq(), p.Len)
	case p.Protocol == header.ProtocolICMP || p.Protocol == header.ProtocolICMPv6:
		return fmt.Sprintf("%s type %d code %d", p.icmpName(), p.ICMP.Type, p.ICMP.Code)
	}
	return fmt.Sprintf("protocol %d  len %d", p.Protocol, p.Len)
}

func (p *Packet) icmpName() string {
	if p.Protocol == header.ProtocolICMPv6 {
		return "ICMPv6"
	}
	return "ICMP"
}

func (p *Packet) tcpLabel() string {
	parts := []string{FlagWords(p.TCP.Flags), fmt.Sprintf("seq %d", p.Seq)}
	if p.TCP.Flags.Has(header.ACK) {
		parts = append(parts, fmt.Sprintf("ack %d", p.Ack))
	}
	if p.Len > 0 {
		parts = append(parts, fmt.Sprintf("len %d", p.Len))
	}
	if p.TCP.Flags.Has(header.SYN) {
		parts = append(parts, Offer(&p.TCP.Options))
	}
	if len(p.SACK) > 0 {
		parts = append(parts, fmt.Sprintf("sack %d-%d", p.SACK[0][0], p.SACK[0][1]))
	}
	return strings.Join(parts, "  ")
}

// Offer is what the options of a SYN say about its sender.
func Offer(o *header.TCPOptions) string {
	var parts []string
	if o.MSS != 0 {
		parts = append(parts, fmt.Sprintf("mss %d", o.MSS))
	}
	if o.HasWScale {
		parts = append(parts, fmt.Sprintf("wscale %d", o.WScale))
	}
	if o.SACKPermitted {
		parts = append(parts, "sack")
	}
	if o.HasTS {
		parts = append(parts, "ts")
	}
	return strings.Join(parts, " ")
}

// FlagWords are the flags in the order of a handshake: SYN ACK, PSH ACK.
func FlagWords(f header.TCPFlags) string {
	var words []string
	for _, x := range []struct {
		bit  header.TCPFlags
		word string
	}{
		{header.SYN, "SYN"},
		{header.FIN, "FIN"},
		{header.RST, "RST"},
		{header.PSH, "PSH"},
		{header.URG, "URG"},
		{header.ACK, "ACK"},
		{header.ECE, "ECE"},
		{header.CWR, "CWR"},
		{header.AE, "AE"},
	} {
		if f.Has(x.bit) {
			words = append(words, x.word)
		}
	}
	if len(words) == 0 {
		return "no flags"
	}
	return strings.Join(words, " ")
}
