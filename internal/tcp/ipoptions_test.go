package tcp

import (
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// MUST-16: options of IP leave less room for data, whatever it is that bounds a
// segment, and MUST-14: the MSS option does not tell of them (RFC 6691).
func TestIPOptionsLeaveLessRoom(t *testing.T) {
	for _, tt := range []struct {
		options string
		mtu, ip int
		mss     int
	}{
		{"<mss 1460>", 1500, 12, 1448},
		{"<mss 1000>", 1500, 12, 988},
		{"<mss 1460,TS val 1 ecr 0>", 1500, 40, 1408},
	} {
		tc := talk(t)
		o := tc.opening()
		o.MTU, o.IPOptions, o.LargeSend = tt.mtu, tt.ip, 60000
		seg := tc.parse("S 0:0(0) win 1000 "+tt.options, true)
		tc.c = Passive(tc.p, tc.now, o, &seg, tc.c.Options())
		var out Segment
		if !tc.c.Next(tc.now, &out) || out.Options.MSS != 1460 {
			t.Errorf("%+v: the MSS option is %d", tt, out.Options.MSS)
		}
		if got := tc.c.MaxSeg(); got != tt.mss || tc.c.large != 0 {
			t.Errorf("%+v: segments of %d, frames of %d", tt, got, tc.c.large)
		}
	}
}

// What is in flight when a connection gets options is resent in pieces that fit,
// and a path MTU is that of the packet with them.
func TestIPOptionsDuringAConnection(t *testing.T) {
	tc := established(t, "<mss 1460,sackOK>")
	tc.write(1460)
	tc.skip()
	tc.c.SetIPOptions(40)
	tc.write(2000)
	tc.want(". 1461:2881(1420) ack 1")
	tc.want("P. 2881:3461(580) ack 1")
	tc.input(". 1:1(0) ack 1 win 50000 <sack 1461:3461>")
	tc.advance(time.Second)
	resent := 0
	for _, seg := range tc.sent {
		resent += len(seg.Payload)
		if n := len(seg.Payload); n > 1420 {
			t.Errorf("a segment of %d bytes is resent", n)
		}
	}
	if tc.sent = nil; resent < 1460 {
		t.Errorf("%d bytes are resent", resent)
	}
	tc.c.SetMTU(tc.now, 1000, tc.iss.Add(1), true)
	if tc.c.MaxSeg() != 920 {
		t.Errorf("with an MTU of 1000 segments have %d", tc.c.MaxSeg())
	}
	tc.c.SetIPOptions(0)
	if tc.c.MaxSeg() != 960 {
		t.Errorf("and without options %d", tc.c.MaxSeg())
	}
}

// SHLD-24: whose source route a connection believes.
func TestWhoAnswers(t *testing.T) {
	tc := established(t, "<mss 1460>")
	tc.write(10)
	tc.skip()
	for _, tt := range []struct {
		name  string
		flags header.TCPFlags
		seq   int
		ack   int
		want  bool
	}{
		{"the next segment", header.ACK, 1, 1, true},
		{"with an acknowledgment", header.ACK | header.PSH, 1, 11, true},
		{"of what was not sent", header.ACK, 1, 12, false},
		{"that is old", header.ACK, 1, 0, false},
		{"before it", header.ACK, 0, 1, false},
		{"behind it", header.ACK, 2, 1, false},
		{"a reset", header.ACK | header.RST, 1, 1, false},
		{"a SYN", header.ACK | header.SYN, 1, 1, false},
		{"without ACK", 0, 1, 1, false},
	} {
		seg := Segment{Flags: tt.flags, Seq: tc.irs.Add(tt.seq), Ack: tc.iss.Add(tt.ack)}
		tc.c.passive = true
		if got := tc.c.Answers(&seg); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		tc.c.passive = false
		if tc.c.Answers(&seg) {
			t.Errorf("%s: it is believed by who opened the connection", tt.name)
		}
	}
}
