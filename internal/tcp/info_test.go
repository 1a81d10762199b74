package tcp

import (
	"testing"
	"time"

	"example.com/berth/socket"
)

func TestInfo(t *testing.T) {
	tc := talk(t)
	tc.connect()
	tc.advance(20 * time.Millisecond)
	tc.input("S. 0:0(0) ack 1 win 60000 <mss 1000,sackOK,TS val 1 ecr 3601000,wscale 3>")
	tc.skip()
	tc.input("P. 1:301(300) ack 1 win 7500 <TS val 2 ecr 3601020>")
	tc.advance(time.Millisecond)
	tc.write(5000)
	tc.advance(10 * time.Millisecond)
	tc.skip()
	tc.input(". 301:301(0) ack 989 win 7500 <TS val 2 ecr 3601021,sack 1977:2965>")
	i := tc.c.Info(tc.now)
	want := socket.TCPInfo{
		State: socket.TCP_ESTABLISHED, CAState: 1,
		Timestamps: true, SACK: true, WindowScale: true, SndWScale: 3, RcvWScale: 7,
		RTO: i.RTO, ATO: 40 * time.Millisecond, RTT: i.RTT, RTTVar: i.RTTVar, MinRTT: 10 * time.Millisecond,
		SndMSS: 988, RcvMSS: 536, AdvMSS: 1460, PMTU: 1500,
		SndSSThresh: i.SndSSThresh, SndCwnd: 11, RcvSSThresh: 65536, RcvSpace: i.RcvSpace, SndWnd: 60000, RcvWnd: i.RcvWnd,
		Unacked: 5, Sacked: 1, Reordering: 3,
		BytesSent: 5000, BytesAcked: 989, BytesReceived: 300,
		SegsOut: 9, SegsIn: 3, DataSegsOut: 6, DataSegsIn: 1,
		DeliveryRate: 197600, BusyTime: 10 * time.Millisecond,
		LastDataSent: 10 * time.Millisecond, LastDataRecv: 11 * time.Millisecond, LastAckRecv: 0,
	}
	if i != want {
		t.Errorf("got  %+v\nwant %+v", i, want)
	}
	if i.RTT < 15*time.Millisecond || i.RTT > 20*time.Millisecond || i.RTO < 200*time.Millisecond+i.RTT {
		t.Errorf("RTT %v, RTO %v", i.RTT, i.RTO)
	}
	tc.fire() // the reordering timer
	tc.skip()
	for tc.count().RTOs.Load() == 0 {
		tc.fire()
	}
	tc.skip()
	if i := tc.c.Info(tc.now); i.TotalRetrans != 2 || i.BytesRetrans != 2*988 || i.Retransmits != 1 || i.Backoff != 1 || i.CAState != 4 || i.Lost != 4 || i.Retrans != 1 || i.TotalRTO != 1 || i.TotalRTORecoveries != 1 {
		t.Errorf("after a time-out: %+v", i)
	}
	if name := tc.c.Congestion(); name != "reno" {
		t.Errorf("congestion control %q", name)
	}
}

func TestMemoryIsCounted(t *testing.T) {
	tc := established(t, sackOnly)
	idle := tc.c.Memory()
	tc.write(5000)
	tc.input("P. 1:3001(3000) ack 1 win 50000")
	tc.input("P. 5001:6001(1000) ack 1 win 50000")
	if n := tc.c.Memory(); n < idle+9000 {
		t.Errorf("%d bytes, idle %d", n, idle)
	}
	if r, s := tc.c.Queues(); r != 3000 || s != 5000 {
		t.Errorf("queues %d, %d", r, s)
	}
}

// A listener's options are those of its connections.
func TestOptionsAreInherited(t *testing.T) {
	tc := talk(t)
	tc.c.SetNoDelay(true)
	tc.c.SetRcvBuf(30000)
	tc.c.SetSndBuf(20000)
	tc.c.SetKeepAlive(tc.now, true)
	tc.c.SetMaxSeg(900)
	if got := tc.c.MaxSeg(); got != 900 {
		t.Errorf("MaxSeg %d", got)
	}
	tc.accept("S 0:0(0) win 1000 " + noOptions)
	tc.want("S. 0:0(0) ack 1 win 14400 <mss 900>")
	tc.input(". 1:1(0) ack 1 win 1000")
	if tc.c.RcvBuf() != 30000 || tc.c.SndBuf() != 20000 || !tc.c.Options().NoDelay || tc.c.MaxSeg() != 900 {
		t.Errorf("%+v", tc.c.Options())
	}
	tc.wantDeadline(2 * time.Hour)
	tc.c.SetMaxSeg(500)
	if got := tc.c.MaxSeg(); got != 500 {
		t.Errorf("MaxSeg %d", got)
	}
	if got := talk(t).c.MaxSeg(); got != 536 {
		t.Errorf("MaxSeg before anything %d", got)
	}
}
