package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// AccECNOption says when the AccECN option is sent, with the values of Linux's
// tcp_ecn_option.
type AccECNOption uint8

const (
	AccECNOptionNever  AccECNOption = iota
	AccECNOptionNeeded              // where something changed, and a few times a round trip
	AccECNOptionAlways              // with every segment
)

// optionSender decides which segments have the AccECN option, and with which of
// its fields (RFC 9768 3.2.3.3).
//
// It goes with the SYN,ACK, and then if the peer has shown one, as on Linux: the
// RFC would rather have it sent anyway (3.2.3.2.3), but who sends none will hardly
// read it, or a box on the way takes it out, and it costs 12 bytes of each segment.
//
// Some boxes drop what has an option that they do not know. So a SYN,ACK that is sent
// again goes without, and until something with the option is known to have arrived so
// does the first data if it was lost; then none has the option any more (3.2.3.2.2).
// Linux does the same where acknowledgments with it seem to be lost.
type optionSender struct {
	_ lean.Incomparable

	peer    bool  // the peer has sent an option
	demand  uint8 // so many are to be sent on account of what arrived
	changed uint8 // a bit for each counter that changed since the last one
	last    uint8 // the codepoint of the data that arrived last
	// again is how many segments in a row the peer has sent again that were
	// acknowledged, with the option, as far as we know.
	again uint8
	test  optionTest
	probe seqnum.Value  // the first segment of data that had an option
	sent  time.Duration // when the last option was
}

// optionTest is whether what has an option arrives.
type optionTest uint8

const (
	optionUntested optionTest = iota
	optionTesting             // data with an option is in flight
	optionPassed
	optionBlocked
)

const (
	// changeOptions is how many options tell of a change of the codepoint: the
	// second says whether what came after it had the same (RFC 9768 3.2.3.3).
	changeOptions = 2
	// optionBytes is the growth of a counter after which it is told at the
	// latest, so that its 24 bits say by how much it grew (3.2.3.3).
	optionBytes = 1 << 22
	// optionDuplicates is after how many segments in a row that came again
	// acknowledgments with an option are taken to be lost for it (as Linux).
	optionDuplicates = 2
)

// count counts bytes that arrived with a codepoint.
func (a *accurateECN) count(codepoint uint8, n int) {
	if n == 0 {
		return
	}
	s := &a.option
	if codepoint == ecnCE || codepoint != s.last {
		s.demand = changeOptions
	}
	s.last = codepoint
	if codepoint == 0 {
		return
	}
	before := a.bytes.received[codepoint]
	a.bytes.received[codepoint] += uint32(n)
	s.changed |= 1 << codepoint
	if before/optionBytes != a.bytes.received[codepoint]/optionBytes {
		s.demand = max(s.demand, 1)
	}
}

// noteOption looks at the option of an acceptable segment: after the first one
// options are sent, too.
func (c *Conn) noteOption(o *header.AccECN) {
	if o.Order == header.AccECNNone {
		return
	}
	a := c.rare.accurate
	a.bytes.look(o)
	if !a.option.peer {
		a.option.peer = true
		a.option.demand = max(a.option.demand, changeOptions)
	}
}

// sendsOption tells whether options are sent at all.
func (c *Conn) sendsOption() bool {
	if !c.ecn.accurate || c.p.AccECNOption == AccECNOptionNever {
		return false
	}
	s := &c.rare.accurate.option
	return s.peer && s.test != optionBlocked
}

// optionDue tells whether a segment that is sent now is to have the option.
func (c *Conn) optionDue(now time.Duration) bool {
	if !c.sendsOption() {
		return false
	}
	s := &c.rare.accurate.option
	return c.p.AccECNOption == AccECNOptionAlways || s.demand > 0 ||
		c.p.AccECNBeacon > 0 && (now-s.sent)*time.Duration(c.p.AccECNBeacon) >= c.rtt.srtt
}

// addOption adds the option to those of a segment that have room bytes, SACK
// blocks among them. All that changed since the last one is in it, or it is not
// sent (RFC 9768 3.2.3.3).
func (c *Conn) addOption(now time.Duration, out *Segment, room int) {
	if !c.optionDue(now) {
		return
	}
	a, o := c.rare.accurate, &out.Options
	s, blocks := &a.option, o.Blocks()
	if !s.fit(o, header.AccECN1, blocks, room) && !s.fit(o, header.AccECN0, blocks, room) {
		o.AccECN, o.SACKCount = header.AccECN{}, blocks
		return
	}
	clear(o.SACK[o.SACKCount:])
	a.bytes.write(&o.AccECN)
	s.changed, s.sent = 0, now
	s.demand = max(s.demand, 1) - 1
	if s.test == optionUntested && len(out.Payload) > 0 {
		s.test, s.probe = optionTesting, out.Seq
	}
}

// fit chooses the fields of an option in this order: as many as find room. For what
// changed SACK blocks make room, but for the first two (RFC 9768 3.2.3.3, as Linux).
func (s *optionSender) fit(o *header.TCPOptions, order header.AccECNOrder, blocks, room int) bool {
	needs := s.needs(order)
	o.AccECN.Order = order
	for o.SACKCount = blocks; ; o.SACKCount-- {
		for n := header.AccECNFields; n >= max(needs, 1); n-- {
			o.AccECN.Fields = uint8(n)
			if o.Len() <= room && o.Blocks() == o.SACKCount {
				return true
			}
		}
		if o.SACKCount <= 2 || needs == 0 {
			return false
		}
	}
}

// needs is how many fields an option in this order must have to tell of all that
// changed.
func (s *optionSender) needs(order header.AccECNOrder) int {
	first, last := uint8(1<<ecnECT1), uint8(1<<ecnECT0)
	if order == header.AccECN0 {
		first, last = last, first
	}
	switch {
	case s.changed&last != 0:
		return 3
	case s.changed&(1<<ecnCE) != 0:
		return 2
	case s.changed&first != 0:
		return 1
	}
	return 0
}

// addHandshakeOption adds the option to a SYN,ACK, with as many fields as find
// room: it may have none, for its passage is what matters (RFC 9768 3.2.3.2.1).
func (p *Params) addHandshakeOption(o *header.TCPOptions) {
	if p.AccECNOption == AccECNOptionNever {
		return
	}
	o.AccECN.Order = header.AccECN1
	new(ecnBytes).write(&o.AccECN)
	for n := header.AccECNFields; n >= 0; n-- {
		if o.AccECN.Fields = uint8(n); o.Len() <= header.TCPOptionsMax {
			return
		}
	}
	o.AccECN = header.AccECN{}
}

// passHandshake takes the acknowledgment of our SYN,ACK, which had the option if it
// was the first one.
func (c *Conn) passHandshake() {
	if c.ecn.accurate && c.passive && c.retries == 0 && c.p.AccECNOption != AccECNOptionNever {
		c.rare.accurate.option.test = optionPassed
	}
}

// passTest takes what an acknowledgment tells to have arrived: data with an option,
// perhaps.
func (c *Conn) passTest(ack *ackSample) {
	s := &c.rare.accurate.option
	if s.test != optionTesting || ack.delivered == 0 {
		return
	}
	if s.probe.Less(c.snd.una) || c.p.AccECNOption == AccECNOptionAlways && s.probe.Less(ack.highest) {
		s.test = optionPassed
	}
}

// failTest takes note of data that was lost, and goes out again. Where that was the
// first with an option, and nothing with one is known to have arrived, it goes
// without.
func (c *Conn) failTest(r *record) {
	if !c.ecn.accurate || !r.has(flagLost) {
		return
	}
	if s := &c.rare.accurate.option; s.test == optionTesting && r.seq.LessEq(s.probe) && s.probe.Less(r.end) {
		c.blockOption()
	}
}

// doubtOption takes a segment with n bytes that were acknowledged before: what has
// acknowledged them since may be lost for its option. A probe of one byte says
// nothing.
func (c *Conn) doubtOption(n int) {
	if !c.sendsOption() || n <= 1 {
		return
	}
	s := &c.rare.accurate.option
	if s.again++; s.again >= optionDuplicates && s.test != optionPassed {
		c.blockOption()
	}
}

func (c *Conn) blockOption() {
	c.rare.accurate.option.test = optionBlocked
	c.p.Counters.AccECNBlocked.Add(1)
}
