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
// [ListenInput] judges the segments that come to one and [Passive] makes the
// connection; [ResetFor] answers segments that belong to nobody.
//
// # The parts
//
// Input follows RFC 9293 section 3.10.7, one short method a step: input.go with
// handshake.go, timestamp.go (PAWS), ack.go, urgent.go, text.go. Output is
// output.go, which lists the reasons to send, with retransmit.go and send.go.
// What both stand on: window.go and mss.go; sendqueue.go, recvqueue.go and
// ooo.go (the queues and their memory); flight.go (the scoreboard of what is in
// flight), rtt.go, recovery.go (loss), congestion.go with newreno.go and cwv.go;
// timer.go with persist.go, keepalive.go and delayedack.go; close.go; icmp.go;
// autotune.go; options.go, user.go and info.go for the user. The constants of
// the protocol are in constants.go, the settings of a host in params.go.
//
// # Memory
//
// Queues hold pooled blocks and charge their true size to Params.Budget. An idle
// connection holds none. When the budget refuses:
//
//   - Write finds no room, but each connection may hold Params.SndBuf.Min bytes,
//     so that it moves;
//   - what came out of order is dropped first, and the window stops growing;
//   - data in order is taken as long as the queue is below Params.RcvBuf.Min
//     bytes or empty, and else dropped: the peer sends it again.
//
// Above three quarters of the budget no buffer grows, and no window is offered
// beyond Params.RcvBuf.Min bytes of data, but what was promised is kept.
//
// # Limits
//
// ECN, RACK-TLP, pacing and Fast Open are not here. Urgent data stays in the
// stream (RFC 6093). Source routes and security labels are ignored.
package tcp
