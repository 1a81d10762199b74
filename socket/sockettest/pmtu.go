package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

// The last cases of all: what they make A believe of the path to B stays.
var pmtuCases = []rows{
	both("path-mtu/learned", "an ICMP error that tells the path's MTU is EMSGSIZE, and is remembered", pmtuLearned).needing(raw | link),
}

// narrow is an MTU that a path may have.
const narrow = 1300

func pmtuLearned(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, a, f.discover(), socket.IP_PMTUDISC_DO)
	set(t, a, f.recvErrors(), 1)
	offender := t.raw(t.B, f, f.icmp)
	transport := append(udpHeader(a.LocalAddr().Port(), b.LocalAddr().Port(), 1400), make([]byte, 1400)...)
	quoted := append(f.header(f.a, f.b, socket.IPPROTO_UDP, len(transport)), transport...)
	want := socket.ExtendedError{Errno: syscall.EMSGSIZE, Info: narrow, Offender: f.b}
	if f.domain == socket.INET {
		want.Origin, want.Type, want.Code = socket.SO_EE_ORIGIN_ICMP, 3, 4
	} else {
		want.Origin, want.Type = socket.SO_EE_ORIGIN_ICMP6, 2
	}
	t.carries(a, b, pattern(1400))
	t.sendTo(offender, string(f.icmpMessage(want.Type, want.Code, narrow, quoted[:f.overhead+16])), at(f.a, 0))
	t.recvErr(a, 0, syscall.EMSGSIZE)
	equal(t, "Err", t.queued(a).Control.Err, want)
	equal(t, "MTU", get(t, a, f.mtu()), narrow)
	_, err := a.Send(make([]byte, 1400), 0)
	t.fails("Send", err, syscall.EMSGSIZE)
	t.carries(a, b, pattern(narrow-f.overhead-8))
	set(t, a, f.discover(), socket.IP_PMTUDISC_DONT)
	t.carries(a, b, pattern(1400))
}
