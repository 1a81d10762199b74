package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

var ipv6OptionCases = append(optionCases("option-ipv6", []optionRow{
	{name: "IPV6_UNICAST_HOPS", option: socket.IPV6_UNICAST_HOPS, on: over6, initial: fromSysctl, reads: map[int]int{0: 0, 1: 1, 255: 255}, refuses: einval(256, -2)},
	{name: "IPV6_MULTICAST_HOPS", option: socket.IPV6_MULTICAST_HOPS, on: []kind{udp6}, initial: 1, reads: map[int]int{0: 0, 7: 7, 255: 255, -1: 1}, refuses: einval(256, -2)},
	{name: "IPV6_MULTICAST_LOOP", option: socket.IPV6_MULTICAST_LOOP, on: []kind{udp6}, initial: 1, reads: map[int]int{0: 0, 1: 1}, refuses: einval(2, -1)},
	{name: "IPV6_MTU_DISCOVER", option: socket.IPV6_MTU_DISCOVER, on: over6, initial: fromSysctl, reads: map[int]int{0: 0, 1: 1, 2: 2, 3: 3}, refuses: einval(-1, 6, 100)},
	{name: "IPV6_RECVERR", option: socket.IPV6_RECVERR, on: over6, reads: switched},
	{name: "IPV6_V6ONLY", option: socket.IPV6_V6ONLY, on: over6, initial: fromSysctl, reads: switched},
	{name: "IPV6_RECVPKTINFO", option: socket.IPV6_RECVPKTINFO, on: []kind{udp6}, reads: switched},
	{name: "IPV6_RECVHOPLIMIT", option: socket.IPV6_RECVHOPLIMIT, on: []kind{udp6}, reads: switched},
	{name: "IPV6_RECVTCLASS", option: socket.IPV6_RECVTCLASS, on: []kind{udp6}, reads: switched},
	{name: "IPV6_DONTFRAG", option: socket.IPV6_DONTFRAG, on: over6, reads: switched},
	{name: "IPV6_TCLASS", option: socket.IPV6_TCLASS, on: []kind{udp6}, reads: map[int]int{0: 0, 0xb8: 0xb8, 0xff: 0xff, -1: 0}, refuses: einval(256, -2)},
	{name: "IPV6_TCLASS-stream", option: socket.IPV6_TCLASS, on: []kind{tcp6}, reads: map[int]int{0xb8: 0xb8, 0xff: 0xfc}, refuses: einval(256, -2)},
}),
	on6("option-ipv6/IPV6_UNICAST_HOPS-default", "-1 is the default again", optionHopsDefault),
	on6("option-ipv6/IPV6_UNICAST_HOPS-sent", "what is sent has the hop limit", optionHopsSent),
	on6("option-ipv6/IPV6_MTU-range", "an MTU below 1280 is EINVAL", optionMTURange),
	on6("option-ipv6/IPV6_CHECKSUM-raw-only", "IPV6_CHECKSUM is for raw sockets: ENOPROTOOPT", optionChecksumRawOnly),
	on6("option-ipv6/IPV6_MULTICAST_IF", "an interface's index, or 0; an unknown one is ENODEV", optionMulticastIF6),
	on6("option-ipv6/multicast-stream", "the multicast hop limit of a stream is ENOPROTOOPT", optionMulticastStream6),
	on6("option-ipv6/IPV6_CHECKSUM-get", "IPV6_CHECKSUM of another socket cannot be read either: ENOPROTOOPT", optionChecksumGet),
	on6("option-ipv6/IPV6_DONTFRAG-sent", "with IPV6_DONTFRAG a datagram longer than the MTU is EMSGSIZE", optionDontfragSent),
)

func optionHopsDefault(t *T, f family) {
	s := t.udp(t.A, f)
	before := get(t, s, socket.IPV6_UNICAST_HOPS)
	set(t, s, socket.IPV6_UNICAST_HOPS, 7)
	set(t, s, socket.IPV6_UNICAST_HOPS, -1)
	equal(t, "IPV6_UNICAST_HOPS", get(t, s, socket.IPV6_UNICAST_HOPS), before)
}

func optionHopsSent(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, b, socket.IPV6_RECVHOPLIMIT, 1)
	for _, hops := range []int{1, 64, 200} {
		set(t, a, socket.IPV6_UNICAST_HOPS, hops)
		t.send(a, "x")
		equal(t, "hop limit", t.recvMsg(b).Control.TTL, hops)
	}
}

func optionMTURange(t *T, f family) {
	s := t.udp(t.A, f)
	for _, mtu := range []int{-1, 1, 1279} {
		t.fails("IPV6_MTU", socket.Set(s, socket.IPV6_MTU, mtu), syscall.EINVAL)
	}
	set(t, s, socket.IPV6_MTU, 1280)
}

func optionChecksumRawOnly(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("IPV6_CHECKSUM", socket.Set(s, socket.IPV6_CHECKSUM, 2), syscall.ENOPROTOOPT)
	})
}

func optionChecksumGet(t *T, f family) {
	_, err := socket.Get(t.udp(t.A, f), socket.IPV6_CHECKSUM)
	t.fails("IPV6_CHECKSUM", err, syscall.ENOPROTOOPT)
}

func optionMulticastIF6(t *T, f family) {
	s := t.udp(t.A, f)
	equal(t, "at first", get(t, s, socket.IPV6_MULTICAST_IF), 0)
	set(t, s, socket.IPV6_MULTICAST_IF, t.IndexA)
	equal(t, "when set", get(t, s, socket.IPV6_MULTICAST_IF), t.IndexA)
	set(t, s, socket.IPV6_MULTICAST_IF, 0)
	equal(t, "when set to 0", get(t, s, socket.IPV6_MULTICAST_IF), 0)
	t.fails("unknown", socket.Set(s, socket.IPV6_MULTICAST_IF, 1<<20), syscall.ENODEV)
}

func optionMulticastStream6(t *T, f family) {
	t.fails("IPV6_MULTICAST_HOPS", socket.Set(t.tcp(t.A, f), socket.IPV6_MULTICAST_HOPS, 1), syscall.ENOPROTOOPT)
}

func optionDontfragSent(t *T, f family) {
	if t.MTU-48 >= f.largest() {
		t.Skip("needs an MTU that a datagram can be longer than")
	}
	a, b := t.udpPair(f)
	set(t, a, socket.IPV6_DONTFRAG, 1)
	t.carries(a, b, pattern(t.MTU-48))
	_, err := a.Send(make([]byte, t.MTU-47), 0)
	t.fails("Send", err, syscall.EMSGSIZE)
}
