package report

import (
	"fmt"
	"strings"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ladder"
)

// excerptLen is how much of a payload that is text stands in a label.
const excerptLen = 32

// label says what a frame is, in the words of packet traces.
func (r *reading) label(p *position) string {
	switch r.kind {
	case damaged:
		return "damaged: " + r.err.Error()
	case arp:
		return r.arpLabel()
	case fragment:
		return fmt.Sprintf("%s fragment  id %d  offset %d  len %d", protocolName(r.protocol), r.identification(), r.offset(), len(r.body))
	case tcp:
		return r.tcpLabel(p) + quote(r.body)
	case udp:
		return fmt.Sprintf("UDP  len %d", len(r.body)) + r.pieceLabel() + quote(r.body)
	case icmp4, icmp6:
		return r.icmpLabel() + r.pieceLabel()
	case other:
		return fmt.Sprintf("%s  len %d", protocolName(r.protocol), len(r.body))
	}
	return fmt.Sprintf("Ethernet type 0x%04x  len %d", r.eth.Type, len(r.body))
}

func (r *reading) offset() int {
	if r.ip == 4 {
		return r.ip4.Offset
	}
	return r.ext.Fragment.Offset
}

func (r *reading) pieceLabel() string {
	if !r.pieces {
		return ""
	}
	return fmt.Sprintf("  first fragment  id %d", r.identification())
}

// quote is the beginning of a payload that is text.
func quote(b []byte) string {
	text := excerpt(b, excerptLen)
	if text == "" {
		return ""
	}
	return "  “" + plain.Replace(text) + "”"
}

func (r *reading) arpLabel() string {
	switch r.arp.Op {
	case header.ARPRequest:
		if !r.arp.Sender.IsValid() || r.arp.Sender.IsUnspecified() {
			return fmt.Sprintf("ARP probe  who has %v?", r.arp.Target)
		}
		if r.arp.Sender == r.arp.Target {
			return fmt.Sprintf("ARP announcement  %v is here", r.arp.Sender)
		}
		return fmt.Sprintf("ARP  who has %v?  tell %v", r.arp.Target, r.arp.Sender)
	case header.ARPReply:
		return fmt.Sprintf("ARP  %v is at %v", r.arp.Sender, r.arp.SenderHW)
	}
	return fmt.Sprintf("ARP operation %d", r.arp.Op)
}

func (r *reading) tcpLabel(p *position) string {
	h := &r.tcp
	parts := []string{ladder.FlagWords(h.Flags), fmt.Sprintf("seq %d", p.seq)}
	if h.Flags.Has(header.ACK) {
		parts = append(parts, fmt.Sprintf("ack %d", p.ack))
	}
	if len(r.body) > 0 {
		parts = append(parts, fmt.Sprintf("len %d", len(r.body)))
	}
	if !h.Flags.Has(header.RST) {
		parts = append(parts, fmt.Sprintf("win %d", p.window))
	}
	if h.Flags.Has(header.SYN) {
		parts = append(parts, ladder.Offer(&r.tcp.Options))
	}
	if len(p.sack) > 0 {
		blocks := make([]string, len(p.sack))
		for i, b := range p.sack {
			blocks[i] = fmt.Sprintf("%d-%d", b[0], b[1])
		}
		parts = append(parts, "sack "+strings.Join(blocks, " "))
	}
	return strings.TrimRight(strings.Join(parts, "  "), " ")
}
