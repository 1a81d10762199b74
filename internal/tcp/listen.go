package tcp

import "example.com/berth/internal/header"

// Verdict is what a listener, or a handshake at one, does about a segment.
type Verdict uint8

// The verdicts.
const (
	Ignore Verdict = iota // drop it
	Reset                 // answer with ResetFor
	Open                  // open a connection: LISTEN, a [Request]; SYN-RECEIVED, what Request.Open gives
	Answer                // send the segment filled in
	Forget                // the handshake is over
)

// ListenInput is SEGMENT ARRIVES in LISTEN state (RFC 9293 3.10.7.2). A SYN
// with FIN is no request of a sane peer, and is ignored as on Linux.
func ListenInput(seg *Segment) Verdict {
	switch {
	case seg.has(header.RST):
		return Ignore
	case seg.has(header.ACK):
		return Reset
	case seg.has(header.SYN) && !seg.has(header.FIN):
		return Open
	}
	return Ignore
}

// ResetFor makes the reset that answers a segment without a connection
// (RFC 9293 3.10.7.1). It reports false if none is to be sent: a reset is never
// answered. Who vouches for the segment signs the answer.
func ResetFor(seg, out *Segment) bool {
	if seg.has(header.RST) {
		return false
	}
	*out = Segment{Flags: header.RST}
	out.signedBy(seg.Auth)
	if seg.has(header.ACK) {
		out.Seq = seg.Ack
	} else {
		out.Flags |= header.ACK
		out.Ack = seg.end()
	}
	return true
}
