// Package tcp is TCP (RFC 9293) as a pure state machine: no goroutine, no lock,
// no clock and no randomness of its own. A [Conn] is a function of what it was,
// a segment, a call or a timer, and the time.
//
// # The way of a segment
//
// The shell, a host, holds one lock for each connection. It calls in (Input for
// a segment that arrived, Timer at the Deadline, Write, Read, Close for the
// user) and then takes out what is to be sent, with Next until there is no more:
//
//	c.Input(now, &seg)
//	for c.Next(now, &out) {
//		... give out its ports, checksum and IP header, transmit ...
//		out.Buffer.Release()
//	}
//	... wake the user by c.Events(), arm a timer for c.Deadline() ...
//
// Nothing is sent but by Next, so acknowledgments aggregate by themselves: the
// later the shell asks, the more of them go in one. A listener is not a Conn:
// [ListenInput] judges the segments that come to one. A SYN begins a [Request],
// which becomes a connection when its handshake has ended, or is answered out of a
// [CookieJar], which keeps nothing; [ResetFor] answers segments that belong to
// nobody.
//
// # The parts
//
//   - Input follows RFC 9293 section 3.10.7, one short method a step: input.go,
//     with synsent.go, handshake.go and synreceived.go for the opening,
//     timestamp.go (PAWS), ack.go and sack.go, urgent.go, text.go, and for the
//     end close.go, reset.go and timewait.go; predict.go is the short way of the
//     segments that hold no surprise. listen.go, request.go and cookie.go
//     are what comes before, terms.go what is offered in a SYN, fastopen.go the
//     data that goes with one.
//   - Output is output.go, which lists the reasons to send, with retransmit.go
//     and send.go (Nagle, cork, silly windows).
//   - Queues and their memory: sendqueue.go, recvqueue.go, ooo.go (what is out of
//     order), ring.go.
//   - What is in flight: flight.go (the scoreboard), rtt.go; how losses are
//     found, rack.go, sackloss.go and tlp.go, and repaired, recovery.go with prr.go; and how
//     it is noticed that they were none, eifel.go and frto.go;
//     congestion.go (the hook), algorithm.go (which there are), cubic.go with
//     hystart.go, newreno.go, cwnd.go (what they share), cwv.go (is cwnd the
//     limit), pacing.go, ecn.go with accecn.go (which counts marks), its
//     accecnbytes.go and accecnoption.go (bytes, and the option that tells them)
//     and accecnfeedback.go (what the peer tells), and dctcp.go, rate.go
//     (of delivery) with bbr.go and its parts.
//   - What is offered and how large: window.go, autotune.go, mss.go (and path
//     MTU), plpmtud.go (which searches for it).
//   - Who may speak: auth.go (what a connection knows of it), authcodes.go (MD5
//     signatures, and what all authentication has in common) with authao.go (TCP-AO),
//     keyring.go (the keys that a user has set), authconn.go and authlisten.go (how a
//     connection and a listener come to theirs).
//   - Time: timer.go (and retransmission), persist.go, keepalive.go,
//     delayedack.go.
//   - The user: user.go, options.go, info.go with stopwatch.go and
//     ccinfo.go; what is rarely needed, rare.go. The network's errors: icmp.go.
//   - Constants of the protocol: constants.go. Settings of a host: params.go.
//     What happened: counters.go.
//
// # Memory
//
// Queues hold pooled blocks and charge their true size to Params.Budget. An idle
// connection holds none. When the budget refuses:
//
//   - Write finds no room, but each connection may hold Params.SndBuf.Min bytes,
//     so that it moves;
//   - what came out of order is dropped first, and the window stops growing;
//   - of data in order, what fits into Params.RcvBuf.Min bytes is taken; the rest
//     is dropped and the window taken back, so that the peer probes until there
//     is room.
//
// Above three quarters of the budget no buffer grows, and no window is offered
// beyond Params.RcvBuf.Min bytes of data, but what was promised is kept.
//
// # Limits
//
// Source routes and security labels are ignored.
package tcp
