package tcp

import "time"

// Options are the options of a connection that its user sets. Connections that
// set none share those of Params, and those that a listener accepts share the
// listener's, until one of them sets its own. Fields that no method of [Conn]
// sets take effect at the next occasion.
type Options struct {
	NoDelay bool // TCP_NODELAY: set with SetNoDelay
	Cork    bool // TCP_CORK: set with SetCork
	// KeepAlive is SO_KEEPALIVE: set with SetKeepAlive.
	KeepAlive              bool
	KeepCount              int
	KeepIdle, KeepInterval time.Duration
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

// Options returns the connection's options, to read.
func (c *Conn) Options() *Options { return c.opts }

// OwnOptions returns the connection's options, to set those that need no
// method: a copy that nobody else has, so the pointer is good for one change.
func (c *Conn) OwnOptions() *Options {
	o := *c.opts
	c.opts = &o
	return c.opts
}

// SetNoDelay is TCP_NODELAY. Switched on, it sends what the Nagle algorithm was
// holding back (RFC 9293 3.7.4, MUST-17).
func (c *Conn) SetNoDelay(on bool) { c.OwnOptions().NoDelay = on }

// SetCork is TCP_CORK. Switched off, it sends what was held back.
func (c *Conn) SetCork(on bool) {
	c.OwnOptions().Cork = on
	c.more = false
	if !on {
		c.stop(timerCork)
	}
}

// SetKeepAlive is SO_KEEPALIVE (RFC 9293 3.8.4, MUST-24).
func (c *Conn) SetKeepAlive(now time.Duration, on bool) {
	c.OwnOptions().KeepAlive = on
	c.armKeepalive(now)
}

// SetKeepTimings sets TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT.
func (c *Conn) SetKeepTimings(now, idle, interval time.Duration, count int) {
	o := c.OwnOptions()
	o.KeepIdle, o.KeepInterval, o.KeepCount = idle, interval, count
	c.armKeepalive(now)
}

// SetUserTimeout is TCP_USER_TIMEOUT; 0 for the default.
func (c *Conn) SetUserTimeout(now, d time.Duration) {
	c.OwnOptions().UserTimeout = d
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
	c.OwnOptions().RcvBuf = n
	if n != 0 {
		c.rcvBuf = n
	}
}

// SetSndBuf fixes the size of the send buffer at n bytes, 0 makes it automatic
// again.
func (c *Conn) SetSndBuf(n int) {
	c.OwnOptions().SndBuf = n
	if n != 0 {
		c.sndBuf = n
	}
}

// RcvBuf and SndBuf return the sizes in effect.
func (c *Conn) RcvBuf() int { return c.rcvBuf }
func (c *Conn) SndBuf() int { return c.sndBuf }

// SetQuickAck is TCP_QUICKACK: on leaves the mode of delayed acknowledgments
// for now and sends one that is due, off enters it.
func (c *Conn) SetQuickAck(on bool) {
	c.delack.interactive = !on
	if on && c.armed(timerDelayedAck) {
		c.ackNow = true
	}
}

// QuickAck tells whether acknowledgments are sent at once.
func (c *Conn) QuickAck() bool { return !c.delack.interactive }

// SetMaxSeg is TCP_MAXSEG, which also lowers the size of segments sent from now
// on. A peer learns of it only before Connect.
func (c *Conn) SetMaxSeg(n int) {
	c.OwnOptions().MaxSeg = n
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
