package tcp

import "time"

// All constants of the protocol, with the text that they come from. What a
// host may choose is in [Params].
const (
	// dupThresh is the number of duplicate acknowledgments, or of segments
	// acknowledged above a hole, that tell of a loss (RFC 5681 3.2, RFC 6675 2).
	dupThresh = 3

	// retries1 is R1 (RFC 9293 3.8.3, SHLD-10).
	retries1 = 3

	// defaultMSS4 and defaultMSS6 are the send MSS for a peer that names none
	// (RFC 9293 3.7.1, MUST-15).
	defaultMSS4 = 536
	defaultMSS6 = 1220

	// Headers without options, which the MSS option leaves out (RFC 6691).
	headers4 = 20 + 20
	headers6 = 40 + 20

	// minMTU4 and minMTU6 are the least path MTUs that an ICMP message may
	// bring about: Linux's min_pmtu, and RFC 8201 section 4.
	minMTU4 = 552
	minMTU6 = 1280

	// maxWindow is the largest window a header can state; maxWScale the largest
	// shift (RFC 7323 2.3).
	maxWindow = 65535
	maxWScale = 14

	// fallbackRTO is where the time-out begins after a SYN had to be resent
	// (RFC 6298 5.7).
	fallbackRTO = 3 * time.Second

	// tsTick is the timestamp clock: one tick a millisecond (RFC 7323 5.4 wants
	// 1 ms to 1 s).
	tsTick = time.Millisecond

	// tsOutdated is how long TS.Recent stays valid on a connection that hears
	// nothing (RFC 7323 5.5: the 2^31 ticks of the fastest clock, 24 days).
	tsOutdated = 24 * 24 * time.Hour

	// challengeInterval is the least time between two answers to segments that
	// belong in no window (RFC 5961 7 leaves it open; Linux's
	// tcp_invalid_ratelimit).
	challengeInterval = 500 * time.Millisecond

	// quickAcks is how many segments a new connection acknowledges at once, so
	// that the peer's slow start is not held up (as Linux).
	quickAcks = 16

	// maxAcksOwed bounds the acknowledgments that wait while the shell is
	// elsewhere.
	maxAcksOwed = 64

	// lateTimer is how late a timer is called that was not called in time, and
	// how long one that resends is then put off.
	lateTimer = 2 * time.Millisecond

	// corkTime is how long TCP_CORK and MSG_MORE hold a partial segment
	// (tcp(7)).
	corkTime = 200 * time.Millisecond

	// isnGap is how far above the old SND.NXT a connection begins that reuses
	// the ports of one in TIME-WAIT (RFC 9293 3.6.1, as Linux: beyond any window
	// without scaling).
	isnGap = maxWindow + 2

	// windowFraction is 1/Fs of RFC 9293 3.8.6.2.1: a partial segment is
	// worth sending when it is this part of the largest window seen.
	windowFraction = 2

	// flightShare bounds the number of small segments in flight: each counts as
	// at least this part of an MSS against cwnd.
	flightShare = 4

	// spansLimit is the most runs of bytes held out of order, pieceOverhead what
	// the bookkeeping of one piece is charged with.
	spansLimit    = 4096
	pieceOverhead = 96
)
