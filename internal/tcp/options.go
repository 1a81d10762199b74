package tcp

import "time"

// Options are the options of a connection that its user sets. They are not
// changed but replaced, so that connections share them: those that set none have
// those of Params, what a listener accepts has the listener's, and most that set
// the same have the same. Fields that no method of [Conn] sets take effect at the
// next occasion.
type Options struct {
	NoDelay bool // TCP_NODELAY: set with SetNoDelay
	Cork    bool // TCP_CORK: set with SetCork
	// KeepAlive is SO_KEEPALIVE: set with SetKeepAlive.
	KeepAlive              bool
	KeepCount              int
	KeepIdle, KeepInterval time.Duration
	// OOBInline is SO_OOBINLINE: set with SetOOBInline.
	OOBInline bool
	// UserTimeout is TCP_USER_TIMEOUT (RFC 5482): how long data may stay
	// unacknowledged, or a window closed. 0 leaves it to Params.Retries2.
	UserTimeout time.Duration
	// MaxSeg is TCP_MAXSEG: a bound for the MSS of both directions; 0 for none.
	MaxSeg int
	// Linger2 is how long FIN-WAIT-2 lasts after Close; negative: not at all.
	Linger2 time.Duration
	// RcvBuf and SndBuf are sizes that the user set, which autotuning leaves
	// alone: set with SetRcvBuf and SetSndBuf. 0 means automatic.
	RcvBuf, SndBuf int
	// RcvLowat is SO_RCVLOWAT: the least that POLLIN tells of; 0 is 1.
	RcvLowat int
	// NotSentLowat is TCP_NOTSENT_LOWAT: the most that may wait unsent before
	// POLLOUT ends; 0 for no limit.
	NotSentLowat int
	// WindowClamp is TCP_WINDOW_CLAMP: a bound for the window offered; 0 for
	// none.
	WindowClamp int
	// SynCount is TCP_SYNCNT: how often a SYN is resent; 0 for the default.
	SynCount int
	// DeferAccept is TCP_DEFER_ACCEPT: how long a handshake whose last ACK
	// carries no data is held back.
	DeferAccept time.Duration
	// MaxPacingRate is SO_MAX_PACING_RATE in bytes a second, 0 for no limit: set
	// with SetMaxPacingRate.
	MaxPacingRate uint64
	// Algorithm is the congestion control; nil is the host's default: set with
	// SetCongestion.
	Algorithm *Algorithm
}

// Options returns the connection's options, to read: others may have them, too.
func (c *Conn) Options() *Options { return c.opts }

// SetOptions gives the connection options, a changed copy of those that it has.
// It is for those that no method sets.
func (c *Conn) SetOptions(o Options) {
	if o != *c.opts {
		c.opts = c.p.shared.find(&o)
	}
}

// SetNoDelay is TCP_NODELAY. Switched on, it sends what the Nagle algorithm was
// holding back (RFC 9293 3.7.4, MUST-17), and TCP_CORK, once (tcp(7)).
func (c *Conn) SetNoDelay(on bool) {
	o := *c.opts
	o.NoDelay = on
	c.SetOptions(o)
	if on && c.unsent() > 0 && !c.armed(timerPersist) { // the window holds more than Nagle
		c.pushDue = true
	}
}

// SetCork is TCP_CORK. Switched off, it sends what was held back.
func (c *Conn) SetCork(on bool) {
	o := *c.opts
	o.Cork = on
	c.SetOptions(o)
	c.more = false
	if !on {
		c.stop(timerCork)
	}
}

// SetOOBInline is SO_OOBINLINE: whether the last urgent octet stays in the
// stream.
func (c *Conn) SetOOBInline(on bool) {
	o := *c.opts
	o.OOBInline = on
	c.SetOptions(o)
}

// SetKeepAlive is SO_KEEPALIVE (RFC 9293 3.8.4, MUST-24).
func (c *Conn) SetKeepAlive(now time.Duration, on bool) {
	o := *c.opts
	o.KeepAlive = on
	c.SetOptions(o)
	c.armKeepalive(now)
}

// SetKeepTimings sets TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT.
func (c *Conn) SetKeepTimings(now, idle, interval time.Duration, count int) {
	o := *c.opts
	o.KeepIdle, o.KeepInterval, o.KeepCount = idle, interval, count
	c.SetOptions(o)
	c.armKeepalive(now)
}

// SetUserTimeout is TCP_USER_TIMEOUT; 0 for the default.
func (c *Conn) SetUserTimeout(now, d time.Duration) {
	o := *c.opts
	o.UserTimeout = d
	c.SetOptions(o)
	if c.armed(timerRetransmit) {
		c.armRetransmit(now)
	}
	if c.armed(timerPersist) {
		c.armPersist(now)
	}
}

// SetRcvBuf fixes the size of the receive buffer at n bytes (the size in
// effect: Linux's SO_RCVBUF doubles what the user asks for before that), 0
// makes it automatic again. A smaller one does not take back what the window
// has promised.
func (c *Conn) SetRcvBuf(n int) {
	o := *c.opts
	o.RcvBuf = n
	c.SetOptions(o)
	if n != 0 {
		c.rcvBuf = n
	}
}

// SetSndBuf fixes the size of the send buffer at n bytes, 0 makes it automatic
// again.
func (c *Conn) SetSndBuf(n int) {
	o := *c.opts
	o.SndBuf = n
	c.SetOptions(o)
	if n != 0 {
		c.sndBuf = n
	}
}

// RcvBuf and SndBuf return the sizes in effect.
func (c *Conn) RcvBuf() int { return c.rcvBuf }
func (c *Conn) SndBuf() int { return c.sndBuf }

// SetQuickAck is TCP_QUICKACK: on leaves the mode of delayed acknowledgments
// for now, and sends one that is due if all has been read, as on Linux: else
// reading may open the window. Off enters it.
func (c *Conn) SetQuickAck(on bool) {
	c.delack.interactive = !on
	if on && c.armed(timerDelayedAck) && c.recvQ.queued == 0 {
		c.ackNow = true
	}
}

// QuickAck tells whether acknowledgments are sent at once.
func (c *Conn) QuickAck() bool { return !c.delack.interactive }

// SetMaxSeg is TCP_MAXSEG, which also lowers the size of segments sent from now
// on. A peer learns of it only before Connect.
func (c *Conn) SetMaxSeg(n int) {
	o := *c.opts
	o.MaxSeg = n
	c.SetOptions(o)
	if c.synchronized() {
		c.lowerMSS(false)
	}
}

// MaxSeg returns the largest segment sent, or before there is a connection what
// was set.
func (c *Conn) MaxSeg() int {
	if c.snd.mss != 0 {
		return c.snd.mss
	}
	if c.opts.MaxSeg != 0 {
		return c.opts.MaxSeg
	}
	return defaultMSS4
}
