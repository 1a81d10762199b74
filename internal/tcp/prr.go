package tcp

import "example.com/berth/internal/lean"

// Proportional rate reduction (RFC 6937, as its successor RFC 9937 amends it)
// decides how much is sent in fast recovery. While more is in flight than the
// threshold, sending slows down evenly, by the factor by which the congestion
// control reduces; once less is, as after many losses, it goes back up to the
// threshold: by what arrives where there are further losses, and by a segment
// more with each acknowledgment that shows progress.
//
// It is for connections with SACK, whose pipe is known. Without SACK RFC 6582
// holds. A congestion control that names no threshold rules in recovery by its
// own window.
type prr struct {
	_ lean.Incomparable

	on        bool
	before    int // RecoverFS: in flight when recovery began
	delivered int // prr_delivered
	out       int // prr_out
	cwnd      int
}

// begin starts a recovery with that much in flight.
func (p *prr) begin(flight int) { *p = prr{on: true, before: max(flight, 1)} }

// onAck decides on the window of this acknowledgment: pipe is what is in flight,
// ssthresh where it should go, delivered what has arrived. Progress tells that
// SND.UNA advanced and no further loss was found (safeACK).
func (p *prr) onAck(pipe, ssthresh, delivered, mss int, progress bool) {
	p.delivered += delivered
	var send int
	if pipe > ssthresh {
		send = int((int64(p.delivered)*int64(ssthresh)+int64(p.before)-1)/int64(p.before)) - p.out
	} else {
		send = max(p.delivered-p.out, delivered)
		if progress {
			send += mss
		}
		send = min(ssthresh-pipe, send)
	}
	if p.out == 0 && send <= 0 {
		send = mss // the fast retransmit
	}
	p.cwnd = pipe + max(send, 0)
}

// sent counts what leaves during recovery.
func (p *prr) sent(n int) {
	if p.on {
		p.out += n
	}
}
