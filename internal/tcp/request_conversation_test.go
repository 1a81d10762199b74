package tcp

import "example.com/berth/socket"

// begin is the SYN that begins a handshake at a listener; the SYN,ACK is wanted.
func (tc *conversation) begin(syn string) *conversation {
	tc.t.Helper()
	seg := tc.parse(syn, true)
	if v := ListenInput(&seg); v != Open {
		tc.t.Fatalf("LISTEN does not open for %q: %v", syn, v)
	}
	r := NewRequest(tc.p, tc.now, tc.opening(), &seg, tc.c.Options())
	var out Segment
	r.SynAck(tc.now, &out)
	tc.r, tc.sent = &r, append(tc.sent, out)
	return tc
}

// inputRequest gives a segment to the handshake, and to the connection that
// comes of it.
func (tc *conversation) inputRequest(seg *Segment) {
	tc.t.Helper()
	var out Segment
	opts := tc.c.Options()
	verdict := tc.r.Input(tc.now, seg, opts, &out)
	if verdict == Reset && !ResetFor(seg, &out) {
		tc.t.Fatal("a reset is to be answered by a reset")
	}
	tc.judge(verdict, &out)
	if verdict == Open {
		o := tc.opening()
		o.ISS, o.TSOffset = 0, 0 // they are the handshake's
		tc.c = new(Conn)
		tc.r.Open(tc.c, o, opts)
		tc.r = nil
		tc.result = tc.c.Input(tc.now, seg)
		tc.pull()
	}
}

func (tc *conversation) judge(verdict Verdict, out *Segment) {
	switch verdict {
	case Answer, Reset:
		tc.sent = append(tc.sent, *out)
	case Forget:
		tc.r = nil
	}
}

// fireRequest goes to the handshake's deadline.
func (tc *conversation) fireRequest() {
	var out Segment
	tc.now = tc.r.Deadline()
	tc.judge(tc.r.Timer(tc.now, tc.p.SynAckRetries, tc.c.Options(), &out), &out)
}

// state is that of the connection, or of the handshake before it.
func (tc *conversation) state() socket.TCPState {
	if tc.r != nil {
		return socket.TCP_SYN_RECV
	}
	return tc.c.State()
}
