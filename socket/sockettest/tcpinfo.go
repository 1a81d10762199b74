package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

var tcpInfoCases = []rows{
	both("tcp-info/fresh", "a fresh socket is CLOSED", infoFresh),
	both("tcp-info/connected", "a connection is ESTABLISHED, has a segment size, a window and an RTO", infoConnected),
	both("tcp-info/options", "both ends agree on SACK, timestamps and window scaling", infoOptions),
	both("tcp-info/counts", "bytes and segments are counted", infoCounts),
	both("tcp-info/congestion", "TCP_CC_INFO of an algorithm that tells nothing is zero, and cannot be set", infoCongestion),
	both("tcp-info/pacing", "the limit of SO_MAX_PACING_RATE is told", infoPacing),
	both("tcp-info/unacked", "what a full peer does not take waits in the queue", infoNotSent),
	both("tcp-info/datagram", "a datagram socket has no TCP_INFO", infoDatagram),
}

func infoFresh(t *T, f family) {
	info := get(t, t.tcp(t.A, f), socket.TCP_INFO)
	equal(t, "State", info.State, socket.TCP_CLOSE)
	equal(t, "BytesSent", info.BytesSent, 0)
}

func infoConnected(t *T, f family) {
	a, b := t.pair(f)
	for _, s := range []socket.Socket{a, b} {
		info := get(t, s, socket.TCP_INFO)
		equal(t, "State", info.State, socket.TCP_ESTABLISHED)
		if info.SndMSS == 0 || info.AdvMSS == 0 || info.PMTU == 0 || info.SndCwnd == 0 || info.SndWnd == 0 || info.RTO == 0 {
			t.Errorf("zero in %+v", info)
		}
	}
}

func infoOptions(t *T, f family) {
	a, b := t.pair(f)
	x, y := get(t, a, socket.TCP_INFO), get(t, b, socket.TCP_INFO)
	equal(t, "SACK", x.SACK, y.SACK)
	equal(t, "Timestamps", x.Timestamps, y.Timestamps)
	equal(t, "WindowScale", x.WindowScale, y.WindowScale)
	equal(t, "scale toward B", x.SndWScale, y.RcvWScale)
	equal(t, "scale toward A", y.SndWScale, x.RcvWScale)
}

func infoCounts(t *T, f family) {
	a, b := t.pair(f)
	const n = 5000
	t.send(a, string(pattern(n)))
	t.receives(b, string(pattern(n)))
	t.acknowledged(a)
	x, y := get(t, a, socket.TCP_INFO), get(t, b, socket.TCP_INFO)
	equal(t, "BytesSent", x.BytesSent, n)
	// The SYN counts as one.
	equal(t, "BytesAcked", x.BytesAcked, n+1)
	equal(t, "BytesReceived", y.BytesReceived, n)
	equal(t, "TotalRetrans", x.TotalRetrans, 0)
	if x.DataSegsOut == 0 || y.DataSegsIn == 0 || x.SegsIn == 0 || y.SegsOut == 0 {
		t.Errorf("segments were not counted: %+v and %+v", x, y)
	}
	if x.RTT == 0 || x.DeliveryRate == 0 {
		t.Errorf("RTT %v, %d B/s delivered", x.RTT, x.DeliveryRate)
	}
	if x.RwndLimited > x.BusyTime || x.SndbufLimited > x.BusyTime {
		t.Errorf("limited for %v and %v in a busy time of %v", x.RwndLimited, x.SndbufLimited, x.BusyTime)
	}
	equal(t, "TotalRTO", x.TotalRTO, 0)
	equal(t, "RcvOOOPack", y.RcvOOOPack, 0)
}

func infoPacing(t *T, f family) {
	a, _ := t.pair(f)
	equal(t, "MaxPacingRate", get(t, a, socket.TCP_INFO).MaxPacingRate, 0)
	set(t, a, socket.SO_MAX_PACING_RATE, 123_456)
	equal(t, "MaxPacingRate", get(t, a, socket.TCP_INFO).MaxPacingRate, 123_456)
}

func infoNotSent(t *T, f family) {
	a, _ := t.smallPair(f)
	n := t.fill(a)
	info := get(t, a, socket.TCP_INFO)
	if info.NotSentBytes == 0 || int(info.NotSentBytes) > n {
		t.Errorf("NotSentBytes %d of %d", info.NotSentBytes, n)
	}
}

func infoDatagram(t *T, f family) {
	if _, err := socket.Get(t.udp(t.A, f), socket.TCP_INFO); err == nil {
		t.Error("no error")
	}
}

func infoCongestion(t *T, f family) {
	a, _ := t.pair(f)
	set(t, a, socket.TCP_CONGESTION, "reno")
	equal(t, "TCP_CC_INFO", get(t, a, socket.TCP_CC_INFO), socket.TCPCCInfo{})
	t.fails("TCP_CC_INFO", socket.Set(a, socket.TCP_CC_INFO, socket.TCPCCInfo{}), syscall.ENOPROTOOPT)
}
