package tcp

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
)

// A Request is a handshake that a SYN began at a listener: the connection in
// SYN-RECEIVED, as small as it can be, since anybody can make one with a packet
// (RFC 4987 3.3). When the last acknowledgment has come, Open makes the
// connection of it.
//
// Like a Conn it is not safe for concurrent use, and the same options are to be
// handed to all its methods: the listener's.
type Request struct {
	_ lean.Incomparable

	p          *Params
	begun      time.Duration // when the SYN came
	due        time.Duration // when the SYN,ACK is sent again
	challenged time.Duration // when a segment was last answered that is no ACK

	iss, irs     seqnum.Value
	tsOffset     uint32
	tsRecent     uint32
	peerWindow   uint16
	peerMSS      uint16
	window, mss  uint16 // of our SYN,ACK
	peerFlags    header.TCPFlags
	peerWScale   uint8
	wscale       uint8
	timeouts     uint8 // how often the SYN,ACK was due again
	resent       uint8 // and how often it was sent again, timeouts or not
	useWScale    bool
	useSACK      bool
	useTS        bool
	codepoint    uint8 // in the IP header of the SYN that came last
	ecn          bool  // our SYN,ACK grants classic ECN
	accurate     bool  // or accurate ECN
	ecnGivenUp   bool  // a SYN or a SYN,ACK went without it
	acknowledged bool  // the last ACK came, and was not taken
	auth         Auth  // nil: no keys
}

// NewRequest returns the handshake that a SYN begins at a listener with these
// options; nil means those of p (RFC 9293 3.10.7.2). SynAck is to be sent.
func NewRequest(p *Params, now time.Duration, o Opening, syn *Segment, opts *Options) Request {
	if opts == nil {
		opts = &p.Options
	}
	p.decline(&syn.Options)
	if a := syn.Auth; a != nil {
		makeRoom(a, &syn.Options)
		a.setISS(o.ISS)
	}
	var out Segment
	terms{p: p, opts: opts, mtu: o.MTU, ipv6: o.IPv6}.synAck(&syn.Options, &out)
	r := Request{
		p: p, begun: now, due: now + p.InitialRTO,
		iss: o.ISS, irs: syn.Seq, tsOffset: o.TSOffset, tsRecent: syn.Options.TSVal,
		peerWindow: syn.Window, peerMSS: syn.Options.MSS, peerFlags: syn.Flags & aceFlags, peerWScale: syn.Options.WScale,
		window: out.Window, mss: out.Options.MSS, wscale: out.Options.WScale,
		useWScale: syn.Options.HasWScale, useSACK: syn.Options.SACKPermitted, useTS: syn.Options.HasTS,
	}
	r.codepoint, r.accurate = syn.ECN, p.grantsAccurate(syn.Flags)
	r.ecn = !r.accurate && syn.has(ecnSetup) && p.grantsECN(opts)
	r.auth = syn.Auth
	return r
}

// SynAck is the answer to the SYN.
func (r *Request) SynAck(now time.Duration, out *Segment) {
	*out = Segment{Seq: r.iss, Ack: r.irs.Add(1), Flags: header.SYN | header.ACK, Window: r.window}
	out.signedBy(r.auth)
	o := &out.Options
	o.MSS, o.SACKPermitted, o.HasTS, o.HasWScale = r.mss, r.useSACK, r.useTS, r.useWScale
	if r.useWScale {
		o.WScale = r.wscale
	}
	if r.useTS {
		o.TSVal, o.TSEcr = r.tsAt(now), r.tsRecent
	}
	switch {
	case r.ecn:
		out.Flags |= header.ECE
	case r.accurate && r.resent >= accurateTries:
		r.ecnGivenUp = true // something may drop it for its flags (RFC 9768 3.2.3.2.2)
	case r.accurate:
		out.Flags |= withACE(handshakeACE[r.codepoint])
		if r.resent == 0 { // something may drop it for the option (RFC 9768 3.2.3.2.2)
			r.p.addHandshakeOption(o)
		}
	}
}

func (r *Request) tsAt(now time.Duration) uint32 { return uint32(now/tsTick) + r.tsOffset }

// Input is SEGMENT ARRIVES in SYN-RECEIVED state, in the order of RFC 9293
// 3.10.7.4. The verdict is one of
//
//   - [Ignore];
//   - [Answer]: out is to be sent;
//   - [Reset]: the segment is to be answered with ResetFor;
//   - [Forget]: the handshake is over;
//   - [Open]: the handshake has ended well. If there is a place for the
//     connection, Open makes it, and it is to have the segment; else Wait is
//     to be told.
func (r *Request) Input(now time.Duration, seg *Segment, opts *Options, out *Segment) Verdict {
	c := r.p.Counters
	if !admits(r.auth, c, seg) {
		return Ignore
	}
	next := r.irs.Add(1)
	switch inside := seg.Seq == next || seg.Seq.In(next, int(r.window)); {
	case seg.has(header.RST) && seg.Seq == next:
		c.RstsSeen.Add(1)
		c.AttemptFails.Add(1)
		return Forget
	case seg.has(header.RST):
		c.RstsIgnored.Add(1)
		if inside { // RFC 5961 3.2
			return r.challenge(now, out)
		}
		return Ignore
	case r.useTS && seg.Options.HasTS && int32(seg.Options.TSVal-r.tsRecent) < 0:
		c.PAWS.Add(1)
		return r.answerInvalid(now, seg, out)
	case !inside && !(seg.Len() > 0 && seg.Seq.Add(seg.Len()-1).In(next, int(r.window))):
		c.OutOfWindow.Add(1)
		return r.answerInvalid(now, seg, out)
	}
	if r.useTS && seg.Options.HasTS && seg.Seq.LessEq(next) {
		r.tsRecent = seg.Options.TSVal
	}
	switch {
	case seg.has(header.SYN): // RFC 5961 4.2
		return r.challenge(now, out)
	case !seg.has(header.ACK):
		c.NoAck.Add(1)
		return Ignore
	case seg.Ack != r.iss.Add(1):
		c.BadAck.Add(1)
		return Reset
	case r.deferred(seg, opts):
		c.Deferred.Add(1)
		r.acknowledged = true
		return Ignore
	}
	return Open
}

// deferred tells whether the last ACK of the handshake waits for data
// (TCP_DEFER_ACCEPT): until the SYN,ACK has been due so often that the time is
// over. Then it is sent once more, and what answers it is taken.
func (r *Request) deferred(seg *Segment, opts *Options) bool {
	return int(r.timeouts) < r.p.deferrals(opts) && seg.end() == r.irs.Add(1)
}

// deferrals is how many time-outs of a SYN,ACK TCP_DEFER_ACCEPT amounts to.
func (p *Params) deferrals(opts *Options) (n int) {
	for step, sum := p.InitialRTO, time.Duration(0); sum < opts.DeferAccept; step = min(2*step, p.MaxRTO) {
		sum += step
		n++
	}
	return n
}

// answerInvalid answers a segment that is not acceptable, at a rate: the SYN once
// more by our SYN,ACK, for which the clock begins anew (as Linux), and all else
// by an acknowledgment.
func (r *Request) answerInvalid(now time.Duration, seg, out *Segment) Verdict {
	if seg.Flags&(header.SYN|header.ACK) != header.SYN || seg.Seq != r.irs {
		return r.challenge(now, out)
	}
	if !r.ecnRepeated(seg) {
		return Reset
	}
	if !r.mayAnswer(now) {
		return Ignore
	}
	r.due = now + r.timeout()
	return r.resend(now, out)
}

// ecnRepeated takes a SYN that came again, and reports whether it agrees with
// the first. One without ECN had lost hope in it on this path (RFC 3168 6.1.1.1,
// RFC 9768 3.1.5). Classic and accurate ECN in one handshake leave open what the
// two ends take it for (RFC 9768 3.1.5).
func (r *Request) ecnRepeated(syn *Segment) bool {
	flags := syn.Flags & aceFlags
	r.codepoint = syn.ECN
	switch {
	case r.accurate && flags == ecnSetup, r.ecn && r.p.grantsAccurate(flags):
		return false
	case flags == 0, r.ecn && flags != ecnSetup:
		r.ecnGivenUp = true
	}
	return true
}

// mayAnswer limits answers to what is not the acknowledgment waited for. The
// limit is the handshake's own: see Conn.challenge.
func (r *Request) mayAnswer(now time.Duration) bool {
	if r.challenged != 0 && now-r.challenged < challengeInterval {
		r.p.Counters.AcksLimited.Add(1)
		return false
	}
	r.challenged = now
	return true
}

func (r *Request) challenge(now time.Duration, out *Segment) Verdict {
	if !r.mayAnswer(now) {
		return Ignore
	}
	r.p.Counters.ChallengeAcks.Add(1)
	*out = Segment{Seq: r.iss.Add(1), Ack: r.irs.Add(1), Flags: header.ACK, Window: r.window >> r.shift()}
	out.signedBy(r.auth)
	if r.useTS {
		out.Options.HasTS, out.Options.TSVal, out.Options.TSEcr = true, r.tsAt(now), r.tsRecent
	}
	return Answer
}

// shift is what the windows of all but SYN segments are scaled by.
func (r *Request) shift() uint8 {
	if r.useWScale {
		return r.wscale
	}
	return 0
}

func (r *Request) resend(now time.Duration, out *Segment) Verdict {
	r.resent++
	r.p.Counters.SynRetransmits.Add(1)
	r.SynAck(now, out)
	return Answer
}

// timeout is how long the answer to the SYN,ACK is waited for.
func (r *Request) timeout() time.Duration {
	return min(r.p.InitialRTO<<min(r.timeouts, 16), r.p.MaxRTO)
}

// Deadline is when Timer is to be called.
func (r *Request) Deadline() time.Duration { return r.due }

// Young tells whether the SYN,ACK has not been due again yet.
func (r *Request) Young() bool { return r.timeouts == 0 }

// Timer resends the SYN,ACK, if it is due, up to so many times (RFC 9293 3.8.3,
// MUST-22). The verdict is Ignore, Answer or Forget.
func (r *Request) Timer(now time.Duration, retries int, opts *Options, out *Segment) Verdict {
	if now < r.due {
		return Ignore
	}
	deferrals, n := r.p.deferrals(opts), int(r.timeouts)
	if n >= retries && (!r.acknowledged || n >= deferrals) {
		r.p.Counters.AttemptFails.Add(1)
		r.p.Counters.Timeouts.Add(1)
		return Forget
	}
	r.timeouts++
	r.due = now + r.timeout()
	if r.acknowledged && n < deferrals-1 {
		return Ignore // the peer has our SYN,ACK, and we wait for its data
	}
	return r.resend(now, out)
}

// Retries returns how often a listener resends a SYN,ACK while so many handshakes
// are under way at it, so many of them young, and its queue takes so many: less
// often where more than half of the queue is taken by old ones, as Linux.
func (p *Params) Retries(pending, young, backlog int) int {
	n := p.SynAckRetries
	if 2*pending > max(8, backlog) {
		for young *= 2; n > 2 && pending >= young; young *= 2 {
			n--
		}
	}
	return n
}

// Wait says that there was no place for the connection: the peer is to send its
// acknowledgment again, for which it gets our SYN,ACK again.
func (r *Request) Wait() { r.acknowledged = true }

// Hit tells whether an ICMP error about a segment with that sequence number is
// about the SYN,ACK (RFC 5927 4).
func (r *Request) Hit(seq seqnum.Value) bool { return seq == r.iss }

// ISS returns the initial send sequence number.
func (r *Request) ISS() seqnum.Value { return r.iss }

// Open makes c the connection in SYN-RECEIVED state, which becomes ESTABLISHED
// when it is given the segment for which Input returned Open.
func (r *Request) Open(c *Conn, o Opening, opts *Options) {
	syn := Segment{Seq: r.irs, Flags: header.SYN | r.peerFlags, Window: r.peerWindow, ECN: r.codepoint, Auth: r.auth}
	syn.Options = header.TCPOptions{
		MSS: r.peerMSS, HasWScale: r.useWScale, WScale: r.peerWScale,
		SACKPermitted: r.useSACK, HasTS: r.useTS, TSVal: r.tsRecent,
	}
	o.ISS, o.TSOffset = r.iss, r.tsOffset
	c.answer(r.p, r.begun, o, &syn, opts)
	c.rcv.edge = c.rcv.nxt.Add(int(r.window))
	c.rcv.wscale = r.shift()
	c.ecn.echo = r.ecn
	c.ecn.send = (r.ecn || r.accurate) && !r.ecnGivenUp
	c.synAckSent(r.begun)
	c.retries = int32(r.resent)
}

// synAckSent says that the SYN,ACK of this connection has been sent without it.
func (c *Conn) synAckSent(at time.Duration) {
	c.synDue = false
	c.snd.nxt = c.iss.Add(1)
	c.stats.synSent = at
	c.stats.segsIn, c.stats.segsOut = 1, 1
}
