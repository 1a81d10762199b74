package tcp

import (
	"fmt"
	"testing"
	"time"
)

// SHLD-14: whatever is read and whenever, the right edge does not go back, and
// what lies before it is taken; but where the user has made the buffer so small
// that what was promised has no room.
func TestRightEdgeNeverGoesBack_SHLD14(t *testing.T) {
	for _, options := range []string{noOptions, allOptions} {
		tc := established(t, options)
		shift := tc.c.rcv.wscale
		edge := tc.c.rcv.edge
		x := uint32(1)
		for n := range 5000 {
			x = x*1664525 + 1013904223
			next := tc.c.rcv.nxt.Sub(tc.irs)
			size := min(int(x>>20)%1400, tc.c.rcvWnd())
			if size > 0 {
				tc.input(fmt.Sprintf("P. %d:%d(%d) ack 1 win 500", next, next+size, size))
			}
			if x>>16&7 == 0 {
				b := make([]byte, x>>8&0x3fff)
				_, _ = tc.c.Read(tc.now, b)
				tc.pull()
			}
			if x>>28 == 0 {
				tc.c.SetRcvBuf(int(x >> 12 & 0xffff))
			}
			for _, s := range tc.skip() {
				e := s.Ack.Add(int(s.Window) << shift)
				if e.Less(edge) && tc.count().RcvBufFull.Swap(0) == 0 {
					t.Fatalf("step %d: the edge goes back by %d", n, edge.Sub(e))
				}
				edge = e
			}
			tc.advance(time.Duration(x>>24) * time.Millisecond)
		}
		if got := tc.c.rcv.nxt.Sub(tc.irs); got < 100000 {
			t.Errorf("only %d bytes came", got)
		}
	}
}

// A buffer that the user made smaller refuses what was promised before, and then
// it says so: the peer probes the window until there is room. It would give up
// otherwise, resending what it was asked for.
func TestASmallerBufferClosesTheWindow(t *testing.T) {
	tc := established(t, noOptions)
	tc.c.SetQuickAck(true)
	tc.input("P. 1:1001(1000) ack 1 win 50000")
	tc.skip()
	tc.c.SetRcvBuf(2300)
	tc.input("P. 1001:2001(1000) ack 1 win 50000")
	tc.skip()
	tc.input("P. 2001:3001(1000) ack 1 win 50000")
	tc.want(". 1:1(0) ack 2001 win 0")
	tc.read(2000)
	tc.want(". 1:1(0) ack 2001 win 1150")
	tc.input("P. 2001:3001(1000) ack 1 win 50000")
	tc.want(". 1:1(0) ack 3001")
}

// MUST-39, RFC 9293 3.8.6.2.2: the window does not open by a few bytes.
//
// DEF-28.
func TestReceiverAvoidsSillyWindows_MUST39(t *testing.T) {
	tc := established(t, noOptions)
	tc.c.SetRcvBuf(20000)
	tc.c.rcv.edge = tc.c.rcv.nxt.Add(10000)
	for next := 1; next < 10001; next += 1000 {
		tc.input(fmt.Sprintf("P. %d:%d(1000) ack 1 win 50000", next, next+1000))
	}
	if s := tc.skip(); s[len(s)-1].Window != 0 {
		t.Fatalf("the window is %d", s[len(s)-1].Window)
	}
	for range 19 {
		tc.read2(100)
		tc.wantNothing()
	}
	tc.read2(100) // two segments: that is worth a message
	tc.want(". 1:1(0) ack 10001 win 2000")
	for range 19 {
		tc.read2(100)
	}
	tc.wantNothing()
	tc.read2(100)
	tc.want(". 1:1(0) ack 10001 win 4000")
	for range 59 {
		tc.read2(100)
	}
	tc.want(". 1:1(0) ack 10001 win 8000")
	tc.wantNothing()
}

// read2 reads n of more bytes.
func (tc *conversation) read2(n int) {
	tc.t.Helper()
	if got, err := tc.c.Read(tc.now, make([]byte, n)); got != n || err != nil {
		tc.t.Fatalf("Read: %d, %v", got, err)
	}
	tc.pull()
}

func TestPeekLeavesTheWindowAlone(t *testing.T) {
	tc := established(t, noOptions)
	tc.input("P. 1:1001(1000) ack 1 win 50000")
	tc.skip()
	b := make([]byte, 600)
	for range 3 {
		if n, err := tc.c.Peek(b, 0); n != 600 || err != nil || b[599] != 600%256 {
			t.Fatal(n, err)
		}
	}
	tc.pull()
	tc.wantNothing()
	if n, _ := tc.c.Queues(); n != 1000 {
		t.Errorf("%d bytes in the queue", n)
	}
	tc.read(1000)
}

func TestWindowScaleFitsTheBuffer(t *testing.T) {
	for _, tt := range []struct {
		max, clamp, locked int
		want               uint8
	}{
		{6 << 20, 0, 0, 7},
		{maxRcvBuf, 0, 0, 7},
		{65535, 0, 0, 0},
		{65536, 0, 0, 1},
		{1 << 30, 0, 0, 14},
		{6 << 20, 30000, 0, 0},
		{6 << 20, 0, 1 << 20, 5},
	} {
		tc := talk(t, func(p *Params) { p.RcvBuf.Max = tt.max })
		tc.set(func(o *Options) { o.WindowClamp = tt.clamp })
		tc.c.SetRcvBuf(tt.locked)
		if got := tc.c.terms().wscale(); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}

func TestWindowClamp(t *testing.T) {
	tc := talk(t)
	tc.set(func(o *Options) { o.WindowClamp = 5000 })
	tc.accept("S 0:0(0) win 1000 " + noOptions)
	tc.want("S. 0:0(0) ack 1 win 4380") // whole segments of 1460
	tc.input("P. 1:11(10) ack 1 win 1000")
	tc.read(10)
	tc.want(". 1:1(0) ack 11 win 4990")
}

// MUST-1, REC-1: a window is an unsigned number of up to 30 bits.
func TestWindowsAreUnsigned_MUST1(t *testing.T) {
	tc := talk(t)
	tc.accept("S 0:0(0) win 65535 <mss 1460,wscale 14>")
	tc.skip()
	tc.input(". 1:1(0) ack 1 win 65535")
	if got := tc.c.Info(tc.now).SndWnd; got != 65535<<14 {
		t.Errorf("SND.WND is %d", got)
	}
	if tc.c.usable() != 65535<<14 {
		t.Errorf("%d usable", tc.c.usable())
	}
	// RFC 5961 5: an ACK that far back is still old, not from the future.
	tc.c.stats.bytesAcked = 1 << 31
	tc.input(fmt.Sprintf(". 1:1(0) ack %d", 1-65535<<14))
	tc.wantNothing()
}

// An old segment does not change the window (RFC 9293 3.10.7.4, SND.WL1/WL2).
func TestOldSegmentsDoNotMoveTheWindow(t *testing.T) {
	tc := established(t, noOptions)
	tc.write(2000)
	tc.skip()
	tc.input(". 1:1(0) ack 1001 win 40000")
	tc.input(". 1:1(0) ack 1 win 10")
	if tc.c.snd.wnd != 40000 {
		t.Errorf("an older ACK made it %d", tc.c.snd.wnd)
	}
	tc.input("P. 11:21(10) ack 1001 win 30000")
	if tc.c.snd.wnd != 30000 {
		t.Errorf("a later segment made it %d", tc.c.snd.wnd)
	}
	tc.input("P. 1:11(10) ack 1001 win 20000")
	if tc.c.snd.wnd != 30000 {
		t.Errorf("an earlier segment made it %d", tc.c.snd.wnd)
	}
}

// Dynamic right-sizing: a reader that keeps up gets a window of what the path
// carries, without ever being told its size.
func TestReceiveBufferGrowsWithThePath(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	for _, tt := range []struct {
		delay    time.Duration
		mbit     int
		queue    time.Duration
		min, max int
	}{
		{50 * time.Millisecond, 200, 0, 2_500_000, maxRcvBuf}, // 2.5 MB are in flight
		{50 * time.Millisecond, 8, 50 * time.Millisecond, 100_000, 4 << 20},
		{50 * time.Microsecond, 8, time.Millisecond, 1000, 512 << 10},
	} {
		ch := newChannel(t, 1)
		ch.delay, ch.rate, ch.queue = tt.delay, tt.mbit*125_000, tt.queue
		ch.ends[0].send = tt.mbit * 125_000 * 2
		ch.connect(1500, 0)
		for ch.ends[1].c == nil || ch.ends[1].read < ch.ends[0].send*9/10 {
			ch.step()
		}
		if got := ch.ends[1].c.RcvBuf(); got < tt.min || got > tt.max {
			t.Errorf("%v, %d Mbit/s: the receive buffer is %d", tt.delay, tt.mbit, got)
		}
		if got := ch.ends[0].c.SndBuf(); got < tt.min/2 || got > maxSndBuf {
			t.Errorf("%v, %d Mbit/s: the send buffer is %d", tt.delay, tt.mbit, got)
		}
	}
}

func TestLockedBuffersDoNotGrow(t *testing.T) {
	ch := newChannel(t, 1)
	ch.delay = 20 * time.Millisecond
	ch.ends[0].send = 1 << 20
	ch.connect(1500, 0)
	ch.ends[0].c.SetSndBuf(30000)
	for ch.ends[1].c == nil {
		ch.step()
	}
	ch.ends[1].c.SetRcvBuf(100_000)
	ch.run(100_000)
	ch.wantAll()
	if got := ch.ends[0].c.SndBuf(); got != 30000 {
		t.Errorf("the send buffer is %d", got)
	}
	if got := ch.ends[1].c.RcvBuf(); got != 100_000 {
		t.Errorf("the receive buffer is %d", got)
	}
}
