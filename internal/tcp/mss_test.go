package tcp

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"example.com/berth/socket"
)

// RFC 9293 3.7.1: MUST-14, MUST-16, MUST-67, SHLD-5 (HOST-115); and the floor of row 8 of
// the attacks (CVE-2019-11479).
//
// DEF-8.
func TestEffectiveSendMSS_MUST16(t *testing.T) {
	for _, tt := range []struct {
		options  string
		mtu      int
		ipv6     bool
		maxSeg   int
		announce int
		mss      int
	}{
		{"<mss 1460>", 1500, false, 0, 1460, 1460},
		{"<mss 1000>", 1500, false, 0, 1460, 1000},
		{"<mss 9000>", 1500, false, 0, 1460, 1460},
		{"", 1500, false, 0, 1460, 536}, // MUST-15
		{"", 1500, true, 0, 1440, 1220}, // MUST-15
		{"<mss 0>", 1500, false, 0, 1460, 536},
		{"<mss 1>", 1500, false, 0, 1460, 216},
		{"<mss 8>", 1500, false, 0, 1460, 216},
		{"<mss 48>", 1500, false, 0, 1460, 216},
		{"<mss 48,TS val 1 ecr 0>", 1500, false, 0, 1460, 204},
		{"<mss 1460,TS val 1 ecr 0>", 1500, false, 0, 1460, 1448}, // RFC 6691
		{"<mss 1460>", 1500, true, 0, 1440, 1440},
		{"<mss 65535>", 65535, false, 0, 65495, 65495},
		{"<mss 65535>", 100000, false, 0, 65535, 65535},
		{"<mss 1460>", 1500, false, 700, 700, 700}, // TCP_MAXSEG
		{"<mss 600>", 1500, false, 700, 700, 600},
		{"<mss 1460>", 200, false, 0, 160, 160}, // the path is what it is
	} {
		tc := talk(t)
		tc.set(func(o *Options) { o.MaxSeg = tt.maxSeg })
		o := tc.opening()
		o.MTU, o.IPv6 = tt.mtu, tt.ipv6
		seg := tc.parse("S 0:0(0) win 1000 "+tt.options, true)
		tc.c = Passive(tc.p, tc.now, o, &seg, tc.c.Options())
		tc.pull()
		tc.want(fmt.Sprintf("S. 0:0(0) ack 1 <mss %d>", tt.announce))
		if got := tc.c.MaxSeg(); got != tt.mss {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}

// RFC 8201, RFC 5927 7.
//
// DEF-39.
func TestPathMTU(t *testing.T) {
	begin := func(t *testing.T) *conversation {
		tc := established(t, "<mss 1460,sackOK>")
		tc.write(4380)
		tc.skip()
		return tc
	}
	t.Run("falls", func(t *testing.T) {
		tc := begin(t)
		cwnd, deadline := tc.c.cc.Cwnd(), tc.c.Deadline()
		tc.c.SetMTU(tc.now, 1040, tc.iss.Add(1), true)
		tc.pull()
		for _, s := range []string{
			". 1:1001(1000) ack 1", ". 1001:1461(460) ack 1",
			". 1461:2461(1000) ack 1", ". 2461:2921(460) ack 1",
			". 2921:3921(1000) ack 1", "P. 3921:4381(460) ack 1",
		} {
			tc.want(s)
		}
		tc.wantNothing()
		if tc.c.cc.Cwnd() != cwnd || tc.c.rtt.backoff != 0 || tc.c.Deadline() < deadline {
			t.Error("it was taken for congestion")
		}
		if tc.c.MTU() != 1040 || tc.c.MaxSeg() != 1000 {
			t.Errorf("MTU %d, MSS %d", tc.c.MTU(), tc.c.MaxSeg())
		}
		tc.input(". 1:1(0) ack 4381 win 50000")
		tc.wantDeadline(0)
		tc.write(2000)
		tc.want(". 4381:5381(1000) ack 1")
	})
	t.Run("with part of it sacked", func(t *testing.T) {
		tc := begin(t)
		tc.input(". 1:1(0) ack 1 win 50000 <sack 1461:2921>")
		tc.c.SetMTU(tc.now, 1040, tc.iss.Add(1), true)
		tc.pull()
		tc.want(". 1:1001(1000) ack 1")
		tc.want(". 1001:1461(460) ack 1")
		tc.want(". 2921:3921(1000) ack 1")
		tc.want("P. 3921:4381(460) ack 1")
		tc.wantNothing()
		if tc.c.fl.sackedBytes() != 1460 {
			t.Errorf("%d bytes sacked", tc.c.fl.sackedBytes())
		}
	})
	for _, tt := range []struct {
		name string
		mtu  int
		seq  int
		ipv6 bool
		want int
	}{
		{"of another segment", 1000, 4381, false, 1500},
		{"of an old segment", 1000, 0, false, 1500},
		{"larger", 9000, 1, false, 1500},
		{"the same", 1500, 1, false, 1500},
		{"tiny", 68, 1, false, 552},
		{"zero", 0, 1, false, 552},
		{"below the least of IPv6", 1000, 1, true, 1280},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := begin(t)
			tc.c.ipv6 = tt.ipv6
			tc.c.SetMTU(tc.now, tt.mtu, tc.iss.Add(tt.seq), true)
			if tc.c.MTU() != tt.want {
				t.Errorf("MTU %d, want %d", tc.c.MTU(), tt.want)
			}
		})
	}
	t.Run("grows", func(t *testing.T) {
		tc := established(t, "<mss 8960>")
		tc.c.SetMTU(tc.now, 9000, 0, false)
		if tc.c.MaxSeg() != 8960 {
			t.Errorf("MSS %d", tc.c.MaxSeg())
		}
	})
	t.Run("of a SYN", func(t *testing.T) {
		tc := talk(t).connect()
		tc.c.SetMTU(tc.now, 1000, tc.iss, true)
		tc.fire()
		tc.want("S 0:0(0) <mss 960>")
	})
}

// RFC 9293 3.9.2.2 (MUST-54, MUST-56, SHLD-26), RFC 5927 5,
// RFC 5461.
//
// DEF-38.
func TestICMPErrors_MUST56(t *testing.T) {
	const e = syscall.EHOSTUNREACH
	for _, tt := range []struct {
		name  string
		begin func() *conversation
		hard  bool
		seq   int
		state socket.TCPState
		err   error
	}{
		{"hard in SYN-SENT", func() *conversation { return talk(t).connect() }, true, 0, socket.TCP_CLOSE, e},
		{"soft in SYN-SENT", func() *conversation { return talk(t).connect() }, false, 0, socket.TCP_SYN_SENT, nil},
		{"of another SYN", func() *conversation { return talk(t).connect() }, true, 2, socket.TCP_SYN_SENT, nil},
		{"of what acknowledgments have", func() *conversation { return talk(t).connect() }, true, 1, socket.TCP_CLOSE, e}, // as on Linux
		{"hard in SYN-RECEIVED, passive", func() *conversation { return talk(t).accept("S 0:0(0) win 9") }, true, 0, socket.TCP_SYN_RECV, nil},
		{"hard in ESTABLISHED", func() *conversation { tc := established(t, noOptions); tc.write(9); return tc }, true, 1, socket.TCP_ESTABLISHED, nil},
		{"hard in FIN-WAIT-1", func() *conversation { return reach(t, socket.TCP_FIN_WAIT1) }, true, 1, socket.TCP_FIN_WAIT1, nil},
	} {
		tc := tt.begin()
		tc.c.Error(tc.now, e, tt.hard, tc.iss.Add(tt.seq))
		tc.wantState(tt.state)
		if err := tc.c.TakeError(); err != tt.err {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	t.Run("told when the connection times out (SHLD-25)", func(t *testing.T) {
		tc := inFlight(t, noOptions, 1)
		tc.c.Error(tc.now, e, false, tc.iss.Add(1))
		tc.c.SetUserTimeout(tc.now, time.Second)
		tc.advance(2 * time.Second)
		tc.wantReadError(e)
	})
	t.Run("told once", func(t *testing.T) {
		tc := inFlight(t, noOptions, 1)
		tc.c.Error(tc.now, e, false, tc.iss.Add(1))
		if x, y := tc.c.TakeSoftError(), tc.c.TakeSoftError(); x != e || y != 0 {
			t.Errorf("%v, then %v", x, y)
		}
	})
	t.Run("forgotten when the peer is heard", func(t *testing.T) {
		tc := inFlight(t, noOptions, 2)
		tc.c.Error(tc.now, e, false, tc.iss.Add(1))
		tc.input(". 1:1(0) ack 1001 win 50000")
		tc.c.SetUserTimeout(tc.now, time.Second)
		tc.advance(2 * time.Second)
		tc.wantReadError(syscall.ETIMEDOUT)
	})
}
