package tcp

import (
	"math"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// A Remnant is a connection in TIME-WAIT that nobody uses any more: all that it
// takes to answer what still comes as the connection would, in a sixth of its
// memory. A host that ends connections has many of them, for a minute each.
type Remnant struct {
	_ lean.Incomparable

	opts       *Options
	until      time.Duration
	heard      time.Duration
	challenged time.Duration
	tsRecentAt time.Duration

	acked       uint32 // bytes, so far as oldestAck looks at them
	wnd, maxWnd int32  // SND.WND
	mtu         int32
	rcvBuf      int32
	rcvMSS      int32

	sent                      seqnum.Value // SND.NXT, which is SND.UNA
	wl1                       seqnum.Value
	received, edge, lastAck   seqnum.Value // RCV.NXT, and of the window
	tsOffset, tsRecent        uint32
	peerMSS                   uint16
	sndScale, rcvScale        uint8
	ipv6, passive             bool
	useTS, useSACK, useWScale bool
}

// Until is the end of TIME-WAIT.
func (r *Remnant) Until() time.Duration { return r.until }

// Reopen judges a segment as Conn.Input does: whether it is a SYN that ends
// TIME-WAIT. Any other is for the connection.
func (r *Remnant) Reopen(seg *Segment) Result {
	if seg.Options.Auth.Kind != header.TCPAuthNone {
		return Result{}
	}
	return reopened(seg, r.received, r.sent, r.useTS, r.tsRecent)
}

// Rest puts into r what is left of a connection in TIME-WAIT whose user is gone,
// and closes it. It is false, and nothing has changed, where the connection is no
// such one, has something to send, or has what few have and a Remnant has no room
// for: keys, marks of the network, urgent data.
func (c *Conn) Rest(r *Remnant) bool {
	switch {
	case c.state != socket.TCP_TIME_WAIT, !c.orphan,
		c.ackNow, c.probeDue, c.resetDue != noReset, c.dsack != (header.SACKBlock{}),
		c.snd.una != c.snd.nxt, c.sendQ.queued > 0, c.recvQ.queued > 0,
		c.rare != nil, c.ecn != (ecnVars{}), c.snd.urgent, c.rcv.urgent != urgentNone,
		c.rcvBuf > math.MaxInt32:
		return false
	}
	*r = Remnant{
		opts: c.opts, until: c.due(timerWait), heard: c.heard,
		challenged: c.challenged, tsRecentAt: c.tsRecentAt,
		acked: uint32(min(c.stats.bytesAcked, math.MaxUint32)),
		wnd:   int32(c.snd.wnd), maxWnd: int32(c.snd.maxWnd),
		mtu: int32(c.mtu), rcvBuf: int32(c.rcvBuf), rcvMSS: int32(c.rcv.mss),
		sent: c.snd.nxt, wl1: c.snd.wl1,
		received: c.rcv.nxt, edge: c.rcv.edge, lastAck: c.rcv.acked,
		tsOffset: c.tsOffset, tsRecent: c.tsRecent,
		peerMSS: c.snd.peerMSS, sndScale: c.snd.wscale, rcvScale: c.rcv.wscale,
		ipv6: c.ipv6, passive: c.passive,
		useTS: c.useTS, useSACK: c.useSACK, useWScale: c.useWScale,
	}
	c.toClosed()
	return true
}

// Revive makes c the connection again, in TIME-WAIT.
func (r *Remnant) Revive(p *Params, c *Conn) {
	c.Init(p)
	c.opts = r.opts
	c.state = socket.TCP_TIME_WAIT
	c.ipv6, c.passive = r.ipv6, r.passive
	c.useTS, c.useSACK, c.useWScale = r.useTS, r.useSACK, r.useWScale
	c.orphan, c.readShut, c.writeShut, c.finRcvd = true, true, true, true
	c.mtu, c.rcvBuf = int(r.mtu), int(r.rcvBuf)
	c.snd = sendVars{
		una: r.sent, nxt: r.sent, wl1: r.wl1, sml: r.sent, wnd: int(r.wnd), maxWnd: int(r.maxWnd),
		peerMSS: r.peerMSS, finSent: true, wscale: r.sndScale,
	}
	c.rcv = recvVars{nxt: r.received, edge: r.edge, acked: r.lastAck, wscale: r.rcvScale, mss: int(r.rcvMSS)}
	c.sendQ.end = r.sent
	c.stats.bytesAcked = uint64(r.acked)
	c.heard, c.challenged = r.heard, r.challenged
	c.tsOffset, c.tsRecent, c.tsRecentAt = r.tsOffset, r.tsRecent, r.tsRecentAt
	c.rtt.rto = p.InitialRTO
	c.reo = reordering{degree: dupThresh, mult: 1}
	c.updateMSS()
	c.arm(timerWait, r.until)
}
