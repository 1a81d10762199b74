package tcp

import (
	"math"
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// A Conn is one connection (the TCB of RFC 9293 section 3.3.1). Its variables
// bear the RFC's names. It is not safe for concurrent use: the shell holds a
// lock around every call.
type Conn struct {
	_ lean.Incomparable

	p     *Params
	cc    CongestionControl
	opts  *Options // shared: see SetOptions
	state socket.TCPState

	ipv6      bool
	passive   bool // SYN-RECEIVED was entered from LISTEN (RFC 9293 3.5, MUST-11)
	announced bool // the user has it before the handshake has ended: see Opening
	early     bool // it may be used in SYN-RECEIVED: see PassiveFast
	useTS     bool // timestamps were negotiated
	useSACK   bool // SACK was negotiated
	useWScale bool // window scaling was negotiated
	orphan    bool // the user has closed it
	readShut  bool // no more reading: shutdown, or the connection is gone
	writeShut bool // no more writing
	finRcvd   bool // RCV.NXT is beyond the peer's FIN
	force     bool // one segment may be resent whatever cwnd says: the fast retransmit
	excused   bool // a timer was called late, and put off
	woken     bool // Opening.Woken
	ca        caState
	probe     probeKind // what timerProbe is for

	maxSegments uint16 // Opening.MaxSegments

	iss, irs seqnum.Value
	point    seqnum.Value // RecoveryPoint: SND.NXT when recovery began
	resetSeq seqnum.Value // see resetDue
	mtu      int
	large    int // Opening.LargeSend

	snd    sendVars
	rcv    recvVars
	sendQ  sendQueue
	recvQ  recvQueue
	ooo    *reassembly // nil while nothing is out of order
	sndBuf int
	rcvBuf int

	rtt  rttVars
	fl   *flight  // nil while nothing is in flight
	ep   *episode // nil but in a recovery and shortly after one
	tlp  tailProbe
	reo  reordering
	cwv  cwndUse
	rate rcvRate
	pace pacer
	// delivery is for algorithms that want rates, else nil.
	delivery *deliveryRate
	ecn      ecnVars

	deadlines *deadlines    // nil while no timer is armed
	retries   int32         // retransmission time-outs in a row
	probes    int32         // window or keepalive probes not answered
	stalled   time.Duration // since when what is resent, or probed for, waits; 0: nothing
	heard     time.Duration // when the peer was last heard
	lastData  time.Duration // when data was last sent

	// What is to be sent; see Next.
	synDue   bool
	ackNow   bool
	probeDue bool
	urgeDue  bool  // the probe announces urgent data first
	acksOwed uint8 // further acknowledgments, one for each segment out of order
	pushDue  bool  // a timer or TCP_NODELAY overrides what holds a small segment back
	more     bool  // the last write said that more follows
	noMemory bool  // the last write found no memory
	refused  bool  // the last write found less room than it had bytes
	resetDue resetKind
	// lastRate is the last sample of the rate of delivery, in bytes a second;
	// rateLimited: it says more about the application.
	rateLimited bool
	lastRate    float32
	delack      delayedAck
	challenged  time.Duration // when an invalid segment was last answered
	dsack       header.SACKBlock
	tsOffset    uint32
	tsRecent    uint32
	tsRecentAt  time.Duration

	err     syscall.Errno // pending, for SO_ERROR
	softErr syscall.Errno // why the peer may be out of reach
	stats   connStats
	rare    *rare     // nil while nothing of it is needed
	busy    stopwatch // with data that is not acknowledged
}

// sendVars is the send sequence space (RFC 9293 3.3.1).
type sendVars struct {
	_ lean.Incomparable

	una, nxt seqnum.Value
	wl1      seqnum.Value
	wnd      int          // scaled
	maxWnd   int          // the largest SND.WND seen
	mss      int          // Eff.snd.MSS: payload of a full segment
	sml      seqnum.Value // end of the last small segment sent (Minshall)
	up       seqnum.Value // SND.UP: after the last urgent octet
	peerMSS  uint16       // the MSS that the peer named
	urgent   bool         // SND.UP means something
	finSent  bool
	wscale   uint8
}

// recvVars is the receive sequence space.
type recvVars struct {
	_ lean.Incomparable

	nxt    seqnum.Value
	edge   seqnum.Value // RCV.NXT+RCV.WND, which never goes back
	acked  seqnum.Value // Last.ACK.sent (RFC 7323 4.3)
	fin    seqnum.Value // where a FIN that came out of order stands
	up     seqnum.Value // RCV.UP: after the last urgent octet
	moves  uint32       // how often RCV.UP moved
	urgent urgentState  // whether RCV.UP means something
	octet  byte         // the last urgent octet, once it is here
	hasFin bool
	wscale uint8
	taken  bool // Taken: a reader waits
	large  bool // a large segment has come since the last acknowledgment
	mss    int  // the size of the peer's segments, estimated
}

// Opening is what the host knows when a connection begins.
type Opening struct {
	// ISS is the initial send sequence number (RFC 6528).
	ISS seqnum.Value
	// TSOffset is added to the timestamp clock (RFC 7323 7.1).
	TSOffset uint32
	// MTU is the path MTU: the largest IP packet.
	MTU int
	// IPv6 says which header the packets have.
	IPv6 bool
	// IPOptions is how many bytes of options the IP header of each segment has.
	IPOptions int
	// LargeSend is the largest payload of one frame where the device cuts it
	// into segments; 0 where it does not.
	LargeSend int
	// MaxSegments is the most segments of one frame; 0 for no limit.
	MaxSegments int
	// Woken says that what comes in is brought by somebody who has to be woken for it.
	Woken bool
	// Announced says of a passive open that its user has the connection already, and is
	// to be told if the handshake does not end well.
	Announced bool
}

// NewConn returns a connection in CLOSED state. Its options can be set before
// Connect.
func NewConn(p *Params) *Conn {
	c := new(Conn)
	c.Init(p)
	return c
}

// Init makes c what NewConn returns, whatever it was before.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (c *Conn) Init(p *Params) {
	*c = Conn{
		p: p, opts: &p.Options, state: socket.TCP_CLOSE,
		sndBuf: p.SndBuf.Default, rcvBuf: p.RcvBuf.Default,
	}
}

// open sets what an active and a passive open have in common.
func (c *Conn) open(now time.Duration, o Opening) {
	c.iss, c.tsOffset, c.mtu, c.ipv6, c.large = o.ISS, o.TSOffset, o.MTU, o.IPv6, o.LargeSend
	if a := c.seldom().auth; a != nil {
		a.setISS(o.ISS)
		c.large = 0 // each segment has a code of its own
	}
	if o.IPOptions > 0 {
		c.needIPOptions(o.IPOptions)
	}
	c.announced, c.woken = o.Announced, o.Woken
	c.maxSegments = uint16(min(o.MaxSegments, math.MaxUint16))
	c.snd.una, c.snd.nxt, c.snd.sml = o.ISS, o.ISS, o.ISS
	c.sendQ.end = o.ISS.Add(1)
	c.rtt.rto = c.p.InitialRTO
	c.reo = reordering{degree: dupThresh, mult: 1}
	c.heard, c.stats.opened = now, now
	c.delack.quick = quickAcks
	c.synDue = true
	if c.opts.RcvBuf != 0 {
		c.rcvBuf = c.opts.RcvBuf
	}
	if c.opts.SndBuf != 0 {
		c.sndBuf = c.opts.SndBuf
	}
}

// Connect is the active OPEN: CLOSED to SYN-SENT. A Conn is for one connection:
// it gives EISCONN if there is or was one.
func (c *Conn) Connect(now time.Duration, o Opening) error {
	if c.state != socket.TCP_CLOSE || c.mtu != 0 {
		return syscall.EISCONN
	}
	c.open(now, o)
	c.rcv.wscale = c.terms().wscale()
	c.state = socket.TCP_SYN_SENT
	c.p.Counters.ActiveOpens.Add(1)
	return nil
}

// synchronized tells whether both sides' sequence numbers are known.
func (c *Conn) synchronized() bool {
	return c.state != socket.TCP_CLOSE && c.state != socket.TCP_SYN_SENT
}

// established tells whether the connection was opened and not yet done with.
func (c *Conn) established() bool {
	return c.synchronized() && c.state != socket.TCP_SYN_RECV && c.state != socket.TCP_TIME_WAIT
}

// State returns the state of the connection.
func (c *Conn) State() socket.TCPState { return c.state }

// establish enters ESTABLISHED.
func (c *Conn) establish(now time.Duration) {
	c.state = socket.TCP_ESTABLISHED
	c.p.Counters.Established.Add(1)
	if c.rare != nil {
		c.rare.rto.time.stop(now)
	}
	c.retries, c.stalled = 0, 0
	c.stop(timerRetransmit)
	if c.cc == nil {
		c.beginTransfer(now)
	} else if c.fl.len() > 0 {
		c.armRetransmit(now)
	}
	c.growSndBuf()
	c.armKeepalive(now)
}

// beginTransfer sets what sending and receiving data needs.
func (c *Conn) beginTransfer(now time.Duration) {
	c.updateMSS()
	c.cc = c.algorithm().New(c.snd.mss)
	if c.algorithm().Rates {
		c.measureRates()
	}
	c.searchFromBase(now)
	c.cc.Init(now, Window{Initial: c.initialWindow(), Cwnd: c.initialWindow(), SSThresh: NoThreshold})
	c.point = c.snd.nxt
	c.cwv.reset(c.snd.nxt)
	c.rate.init(now, c.rcv.nxt, c.rcvWnd(), c.p.InitialWindow*int(c.advertisedMSS()))
}

// initialWindow returns IW in bytes (RFC 6928 2, for any number of segments).
func (c *Conn) initialWindow() int {
	n, mss := c.p.InitialWindow, c.snd.mss
	return min(n*mss, max(2*mss, n*(1500-headers4)))
}

// TakeError is SO_ERROR: it returns the pending error and clears it.
func (c *Conn) TakeError() error {
	e := c.err
	c.err = 0
	if e == 0 {
		return nil
	}
	return e
}

// Queues returns the bytes that arrived and were not read, and the bytes that
// were written and are not acknowledged.
func (c *Conn) Queues() (recv, send int) { return c.recvQ.queued, c.sendQ.queued }

// Done tells whether the connection is over and has nothing left to send: the
// shell may forget it once its user has, too.
func (c *Conn) Done() bool { return c.state == socket.TCP_CLOSE && c.resetDue == noReset }
