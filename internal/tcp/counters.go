package tcp

import (
	"sync/atomic"

	"example.com/berth/internal/lean"
)

// Counters count what the connections of a host did that is out of the
// ordinary, by cause. The connections run under locks of their own, so each
// counter is atomic. The zero value is ready for use.
type Counters struct {
	_ lean.Incomparable

	ActiveOpens  atomic.Uint64 // SYN-SENT entered from CLOSED
	PassiveOpens atomic.Uint64 // SYN-RECEIVED entered from LISTEN
	AttemptFails atomic.Uint64 // CLOSED entered from SYN-SENT or SYN-RECEIVED
	EstabResets  atomic.Uint64 // CLOSED entered from ESTABLISHED or CLOSE-WAIT by a reset or an abort
	Established  atomic.Uint64 // ESTABLISHED entered

	// Segments that were dropped, or part of them.
	OutOfWindow     atomic.Uint64 // sequence numbers outside the window
	PAWS            atomic.Uint64 // timestamp older than TS.Recent
	BadAck          atomic.Uint64 // acknowledges what was not sent, or is too old
	NoAck           atomic.Uint64 // neither ACK, nor RST, nor SYN
	AfterClose      atomic.Uint64 // data for a reader that is gone: answered by a reset
	RcvBufFull      atomic.Uint64 // data within the window for which there was no memory
	OutOfOrderDrops atomic.Uint64 // data taken out of order and dropped for lack of memory
	Deferred        atomic.Uint64 // bare ACK of a handshake held by TCP_DEFER_ACCEPT

	// Segments dropped for keys.
	MD5Missing    atomic.Uint64 // no signature, and there is a key
	MD5Unexpected atomic.Uint64 // a signature, and there is no key
	MD5Bad        atomic.Uint64 // a signature of somebody else
	AORequired    atomic.Uint64 // no code of TCP-AO, and there is a key
	AOKeyNotFound atomic.Uint64 // a code with a key that is not there
	AOBad         atomic.Uint64 // a code of somebody else
	AuthMalformed atomic.Uint64 // an option of impossible length, or several
	AOGood        atomic.Uint64 // not dropped: the code is right
	AODroppedICMP atomic.Uint64 // ICMP errors not believed (RFC 5925 7.8)

	FastOpenActive     atomic.Uint64 // the peer took the data of our SYN
	FastOpenActiveFail atomic.Uint64 // and did not
	FastOpenPassive    atomic.Uint64 // opened by a SYN with a good cookie
	FastOpenBlackHoles atomic.Uint64 // time-outs that data in a SYN may be to blame for

	OutOfOrder    atomic.Uint64 // segments queued out of order
	Duplicates    atomic.Uint64 // segments with nothing new
	ChallengeAcks atomic.Uint64 // sent (RFC 5961)
	AcksLimited   atomic.Uint64 // answers to invalid segments not sent for the rate limit
	DelayedAcks   atomic.Uint64 // acknowledgments sent by the timer
	DSACKsSent    atomic.Uint64
	DSACKsSeen    atomic.Uint64

	RstsSent       atomic.Uint64
	RstsSeen       atomic.Uint64 // acceptable ones
	RstsIgnored    atomic.Uint64
	TimeWaitReused atomic.Uint64 // a new SYN ended TIME-WAIT (RFC 6191)

	Retransmits      atomic.Uint64 // segments
	FastRetransmits  atomic.Uint64 // segments resent in fast recovery
	Recoveries       atomic.Uint64 // fast recovery entered
	RTOs             atomic.Uint64 // retransmission time-outs
	TailProbes       atomic.Uint64 // tail loss probes (RFC 8985 7)
	TailLosses       atomic.Uint64 // losses that a tail loss probe repaired
	Undone           atomic.Uint64 // recoveries that were for nothing, and undone
	SpuriousRTOs     atomic.Uint64 // of these, after a time-out
	SynRetransmits   atomic.Uint64 // SYN and SYN,ACK
	ECNMarks         atomic.Uint64 // segments that arrived with a mark of the network
	ECNReductions    atomic.Uint64 // congestion windows reduced for an echoed mark
	AccECNBlocked    atomic.Uint64 // connections that send no AccECN option any more, for what has it seems not to arrive
	SACKReneges      atomic.Uint64 // the peer dropped what it had acknowledged selectively
	SACKDiscarded    atomic.Uint64 // SACK blocks that make no sense
	ZeroWindowProbes atomic.Uint64
	KeepaliveProbes  atomic.Uint64
	Timeouts         atomic.Uint64 // connections given up: retransmission, user timeout, keepalive
	OrphansDropped   atomic.Uint64 // closed by the user and given up

	ICMPIgnored     atomic.Uint64 // an error whose sequence number is not in flight
	PathMTUDrops    atomic.Uint64 // the path MTU fell
	BlackHoles      atomic.Uint64 // segments shrunk because large ones seem to vanish (RFC 4821)
	MTUProbes       atomic.Uint64 // probes of the path MTU sent
	MTUProbesPassed atomic.Uint64
	MTUProbesLost   atomic.Uint64
	NoSendMemory    atomic.Uint64 // a write found no memory in the budget
	NoRcvGrowth     atomic.Uint64 // a window did not grow for lack of memory
	WindowsToZero   atomic.Uint64 // a zero window advertised
}
