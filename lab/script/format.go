package script

import (
	"fmt"
	"strings"

	"example.com/berth/internal/header"
)

// flagText writes flags as a script does.
func flagText(f header.TCPFlags, ace bool) string {
	var b strings.Builder
	for _, x := range []struct {
		flag header.TCPFlags
		name string
	}{
		{header.FIN, "F"},
		{header.SYN, "S"},
		{header.RST, "R"},
		{header.PSH, "P"},
		{header.URG, "U"},
		{header.ECE, "E"},
		{header.CWR, "W"},
		{header.AE, "A"},
		{header.ACK, "."},
	} {
		if f&x.flag != 0 && (!ace || x.flag&(header.ECE|header.CWR|header.AE) == 0) {
			b.WriteString(x.name)
		}
	}
	if ace {
		n := 0
		for bit, x := range []header.TCPFlags{header.ECE, header.CWR, header.AE} {
			if f&x != 0 {
				n |= 1 << bit
			}
		}
		fmt.Fprint(&b, n)
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// optionText writes options as a script does. With a flow they are the host's,
// with the numbers of the wire.
func optionText(list []tcpOption, f *flow) string {
	var parts []string
	for i := range list {
		parts = append(parts, list[i].format(f))
	}
	return "<" + strings.Join(parts, ",") + ">"
}

func (o *tcpOption) format(f *flow) string {
	switch o.kind {
	case optEnd:
		return "eol"
	case optNop:
		return "nop"
	case optSACKPermitted:
		return "sackOK"
	case optTimestamps:
		return fmt.Sprintf("TS val %d ecr %d", o.val, o.ecr)
	case optSACK:
		text := "sack"
		for _, b := range o.blocks {
			if f != nil {
				b[0], b[1] = f.fromPeer(b[0], false), f.fromPeer(b[1], false)
			}
			text += fmt.Sprintf(" %d:%d", b[0], b[1])
		}
		return text
	case optMD5:
		if o.sign {
			return "md5"
		}
		return fmt.Sprintf("md5 %x", o.data)
	case optAO:
		if len(o.data) < 2 {
			break
		}
		text := fmt.Sprintf("ao keyid %d rnextkeyid %d", o.data[0], o.data[1])
		if o.sign {
			return text
		}
		return fmt.Sprintf("%s %x", text, o.data[2:])
	case optAccECN0, optAccECN1:
		if n := len(o.data); n > 0 && n%3 == 0 && n <= 9 {
			return o.accurateECN()
		}
	case optFastOpen:
		return strings.TrimSpace(fmt.Sprintf("FO %x", o.data))
	}
	if o.kind == optMSS && len(o.data) == 2 {
		return fmt.Sprintf("mss %d", int(o.data[0])<<8|int(o.data[1]))
	}
	if o.kind == optWScale && len(o.data) == 1 {
		return fmt.Sprintf("wscale %d", o.data[0])
	}
	return fmt.Sprintf("generic %#x %x", o.kind, o.data)
}

var ecnNames = [4]string{"noecn", "ect1", "ect0", "ce"}

// String writes a packet as a script would.
func (s *sighting) String() string {
	if s.bad != "" {
		return fmt.Sprintf("> (%s) %x", s.bad, s.bytes)
	}
	ip := ""
	if s.tos&3 != 0 {
		ip = "[" + ecnNames[s.tos&3] + "] "
	}
	switch s.protocol {
	case header.ProtocolTCP:
		f, t := s.flow, &s.tcp
		b := fmt.Sprintf("> %s%s %d:%d(%d)", ip, flagText(t.Flags, false), s.seq(), s.seq()+uint32(s.payload), s.payload)
		if t.Flags&header.ACK != 0 {
			b += fmt.Sprintf(" ack %d", f.fromPeer(uint32(t.Ack), t.Flags&header.SYN != 0))
		}
		b += fmt.Sprintf(" win %d", t.Window)
		if t.Urgent != 0 {
			b += fmt.Sprintf(" urg %d", t.Urgent)
		}
		if len(s.options) > 0 {
			b += " " + optionText(s.options, f)
		}
		return b
	case header.ProtocolUDP:
		return fmt.Sprintf("> %sudp %d > %d (%d)", ip, s.udp.SrcPort, s.udp.DstPort, s.payload)
	case header.ProtocolICMP:
		return fmt.Sprintf("> %sicmp type_%d code_%d", ip, s.icmp.Type, s.icmp.Code)
	}
	return fmt.Sprintf("> %sprotocol %d (%d bytes)", ip, s.protocol, len(s.bytes))
}
