package script

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"example.com/berth/internal/header"
)

// flowOut is the flow of a packet that the host sent; a new one if the host
// begins it.
func (r *run) flowOut(s *sighting) *flow {
	var src, dst uint16
	switch s.protocol {
	case header.ProtocolTCP:
		src, dst = s.tcp.SrcPort, s.tcp.DstPort
	case header.ProtocolUDP:
		src, dst = s.udp.SrcPort, s.udp.DstPort
	default:
		return nil
	}
	local, remote := netip.AddrPortFrom(s.src, src), netip.AddrPortFrom(s.dst, dst)
	for i := len(r.flows) - 1; i >= 0; i-- {
		if f := r.flows[i]; f.local == local && f.remote == remote {
			return f
		}
	}
	f := &flow{local: local, remote: remote, remoteBase: remoteBase, generation: r.generation}
	r.flows = append(r.flows, f)
	return f
}

// saw notes what a packet of the host tells about its flow.
func (r *run) saw(s *sighting) {
	if s.bad != "" {
		return
	}
	s.flow = r.flowOut(s)
	if s.flow != nil && s.protocol == header.ProtocolTCP && s.tcp.Flags&header.SYN != 0 && !s.flow.knowsLocal {
		s.flow.localBase, s.flow.knowsLocal = uint32(s.tcp.Seq), true
	}
}

// A difference is a field in which two packets differ.
type difference struct{ field, want, got string }

// compare tells in what a packet differs from what the script expects.
func (r *run) compare(k *packet, s *sighting) (list []difference) {
	differ := func(field string, want, got any) {
		if want != got {
			list = append(list, difference{field, fmt.Sprint(want), fmt.Sprint(got)})
		}
	}
	if s.bad != "" {
		return []difference{{"packet", "a good one", s.bad}}
	}
	if k.protocol != s.protocol {
		return []difference{{"protocol", protocolName(k.protocol), protocolName(s.protocol)}}
	}
	switch k.ip.check {
	case tosECN:
		differ("ecn", k.ip.tos, s.tos&3)
	case tosECT01:
		if s.tos&3 != 1 && s.tos&3 != 2 {
			differ("ecn", "ect01", s.tos&3)
		}
	case tosWhole:
		differ("tos", k.ip.tos, s.tos)
	}
	if k.ip.ttl != 0 {
		differ("ttl", k.ip.ttl, s.ttl)
	}
	if k.ip.label != 0 && s.flow != nil && s.src.Is6() {
		r.compareLabel(k, s, differ)
	}
	if s.flow != nil {
		s.flow.ports(k, differ)
	}
	switch k.protocol {
	case header.ProtocolTCP:
		r.compareTCP(k, s, differ)
	case header.ProtocolUDP:
		differ("length", k.payload, s.payload)
	default:
		code, err := r.icmpCode(k)
		if err != nil {
			differ("icmp", err.Message, "")
		}
		differ("icmp type", code[0], s.icmp.Type)
		differ("icmp code", code[1], s.icmp.Code)
	}
	return list
}

func protocolName(p uint8) string {
	switch p {
	case header.ProtocolTCP:
		return "tcp"
	case header.ProtocolUDP:
		return "udp"
	case header.ProtocolICMP:
		return "icmp"
	}
	return fmt.Sprint("protocol ", p)
}

// compareLabel holds flow labels to be the same where the script has the same.
func (r *run) compareLabel(k *packet, s *sighting, differ func(string, any, any)) {
	f := s.flow
	switch {
	case s.label == 0:
		differ("flowlabel", k.ip.label, 0)
	case f.scriptLabel == 0, f.scriptLabel != k.ip.label && f.label != s.label:
		f.scriptLabel, f.label = k.ip.label, s.label
	case f.scriptLabel == k.ip.label:
		differ("flowlabel", f.label, s.label)
	default:
		differ("flowlabel", "another one", s.label)
	}
}

// ports compares those that the script names. The first time the host's own,
// which it chose, becomes that of the script.
func (f *flow) ports(k *packet, differ func(string, any, any)) {
	if k.srcPort != 0 {
		if f.scriptLocal == 0 {
			f.scriptLocal = k.srcPort
		}
		differ("source port", k.srcPort, f.scriptLocal)
	}
	if k.dstPort != 0 {
		if f.scriptRemote == 0 {
			f.scriptRemote = f.remote.Port()
		}
		differ("destination port", k.dstPort, f.scriptRemote)
	}
}

func (r *run) compareTCP(k *packet, s *sighting, differ func(string, any, any)) {
	f, t := s.flow, &s.tcp
	if t.Flags&header.SYN != 0 && k.tcp.flags&header.SYN != 0 && !f.compared {
		f.localBase, f.localISN, f.compared = uint32(t.Seq)-k.tcp.seq, k.tcp.seq, true
	}
	got := t.Flags
	differ("flags", flagText(k.tcp.flags, k.tcp.ace), flagText(got, k.tcp.ace))
	differ("seq", k.tcp.seq, s.seq())
	differ("length", k.payload, s.payload)
	if k.tcp.flags&header.ACK != 0 {
		differ("ack", k.tcp.ack, f.fromPeer(uint32(t.Ack), t.Flags&header.SYN != 0))
	}
	if k.tcp.hasWin {
		differ("win", k.tcp.win, t.Window)
	}
	if k.tcp.flags&header.URG != 0 || t.Urgent != 0 {
		differ("urg", k.tcp.urg, t.Urgent)
	}
	if !k.anyOptions {
		r.compareOptions(k, s, differ)
	}
}

// seq is the sequence number as the script writes it. That of a reset which
// answers no acknowledgment is zero, and not one of the connection (RFC 9293
// 3.10.7.1).
func (s *sighting) seq() uint32 {
	if s.tcp.Flags&header.RST != 0 && s.tcp.Seq == 0 {
		return 0
	}
	return s.flow.fromHost(uint32(s.tcp.Seq), s.tcp.Flags&header.SYN != 0)
}

// compareOptions compares the options one by one, padding included.
func (r *run) compareOptions(k *packet, s *sighting, differ func(string, any, any)) {
	want, got := make([]tcpOption, len(k.tcp.options)), s.options
	for i, o := range k.tcp.options {
		want[i] = o.resolved(s.flow)
	}
	if r.setup.anyOrder {
		want, got = inOrder(want), inOrder(got)
	}
	if len(want) != len(got) {
		differ("options", optionText(want, nil), optionText(got, s.flow))
		return
	}
	for i := range want {
		w, g := &want[i], &got[i]
		same := w.kind == g.kind
		switch {
		case !same:
		case w.kind == optTimestamps:
			if !w.anyVal {
				s.flow.learn(w.val, g.val)
			}
			same = w.anyEcr || w.ecr == g.ecr
			if tick := r.setup.tsTick; tick > 0 && same && !w.anyVal {
				off := int32(g.val-s.flow.firstLive) - int32(w.val-s.flow.firstScript)
				same = int64(max(off, -off)) <= int64(r.setup.tolerance/tick)+1
			}
		case w.kind == optSACK:
			same = optionText(want[i:i+1], nil) == optionText(got[i:i+1], s.flow)
		case w.sign:
			same = len(w.data) == len(g.data) && (w.kind == optMD5 || bytes.Equal(w.data[:2], g.data[:2]))
			if same && !r.signed(s.segment, g, s.flow) {
				differ("options", w.format(nil)+" that is right", w.format(nil)+" with another code")
				return
			}
		default:
			same = bytes.Equal(w.data, g.data)
		}
		if !same {
			differ("options", optionText(want, nil), optionText(got, s.flow))
			return
		}
	}
}

// fit makes a packet of the host one that can be compared with what is expected,
// where only the cut between segments differs: it joins the packets that follow,
// or leaves behind what is too much. PSH goes with the cut: where that differs, it
// may too.
func (r *run) fit(k *packet) {
	s := &r.tape.sent[0]
	if s.bad != "" || s.protocol != header.ProtocolTCP || k.protocol != s.protocol || s.payload == 0 || k.payload == 0 {
		return
	}
	before := s.payload
	for s.payload < k.payload && (len(r.tape.sent) > 1 || r.more(s)) {
		n := &r.tape.sent[1]
		if n.bad != "" || n.flow != s.flow || n.protocol != s.protocol || n.payload == 0 || s.tcp.Flags&header.FIN != 0 ||
			(n.tcp.Flags^s.tcp.Flags)&^(header.PSH|header.FIN) != 0 || n.tcp.Ack != s.tcp.Ack || n.tcp.Seq != s.tcp.Seq.Add(s.payload) ||
			n.at-s.at > r.setup.tolerance {
			return
		}
		n.tcp.Seq, n.payload = s.tcp.Seq, n.payload+s.payload
		n.at = s.at
		r.tape.sent = r.tape.sent[1:]
		s = &r.tape.sent[0]
	}
	if s.payload > k.payload {
		rest := *s
		rest.tcp.Seq, rest.payload = s.tcp.Seq.Add(k.payload), s.payload-k.payload
		s.payload = k.payload
		s.tcp.Flags &^= header.FIN
		r.tape.sent = append(r.tape.sent[:1:1], append([]sighting{rest}, r.tape.sent[1:]...)...)
		s = &r.tape.sent[0]
	}
	if s.payload != before || r.followed(s) {
		s.tcp.Flags = s.tcp.Flags&^header.PSH | k.tcp.flags&header.PSH
	}
}

// followed tells whether more data goes out right behind a segment: where senders
// cut what they have, some set PSH at each cut.
func (r *run) followed(s *sighting) bool {
	if len(r.tape.sent) < 2 {
		return false
	}
	n := &r.tape.sent[1]
	return n.bad == "" && n.flow == s.flow && n.protocol == s.protocol && n.payload > 0 && n.at == s.at && n.tcp.Seq == s.tcp.Seq.Add(s.payload)
}

// more waits for a packet that may follow another at once: a System in real time
// takes a moment.
func (r *run) more(s *sighting) bool {
	const moment = 100 * time.Millisecond
	for r.system() != nil && len(r.tape.sent) < 2 && r.world.now() < s.at+moment {
		r.world.step(s.at + moment)
	}
	return len(r.tape.sent) > 1
}
