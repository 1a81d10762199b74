package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

var ipOptionCases = append(optionCases("option-ip", []optionRow{
	{name: "IP_TOS", option: socket.IP_TOS, on: []kind{udp4}, reads: map[int]int{0: 0, 0x10: 0x10, 0xb8: 0xb8, 0xff: 0xff}},
	{name: "IP_TOS-stream", option: socket.IP_TOS, on: []kind{tcp4}, reads: map[int]int{0x10: 0x10, 0xff: 0xfc, 3: 0}},
	// HOST-21, HOST-24.
	{name: "IP_TTL", option: socket.IP_TTL, on: over4, initial: fromSysctl, reads: map[int]int{1: 1, 255: 255}, refuses: einval(0, 256, -2)},
	{name: "IP_PKTINFO", option: socket.IP_PKTINFO, on: []kind{udp4}, reads: switched},
	{name: "IP_RECVTTL", option: socket.IP_RECVTTL, on: []kind{udp4}, reads: switched},
	{name: "IP_RECVTOS", option: socket.IP_RECVTOS, on: []kind{udp4}, reads: switched},
	{name: "IP_RECVERR", option: socket.IP_RECVERR, on: over4, reads: switched},
	{name: "IP_FREEBIND", option: socket.IP_FREEBIND, on: over4, reads: switched},
	{name: "IP_TRANSPARENT", option: socket.IP_TRANSPARENT, on: over4, reads: switched, needs: admin},
	{name: "IP_BIND_ADDRESS_NO_PORT", option: socket.IP_BIND_ADDRESS_NO_PORT, on: over4, reads: switched},
	{name: "IP_MTU_DISCOVER", option: socket.IP_MTU_DISCOVER, on: over4, initial: fromSysctl, reads: map[int]int{0: 0, 1: 1, 2: 2, 3: 3}, refuses: einval(-1, 6, 100)},
	{name: "IP_MULTICAST_TTL", option: socket.IP_MULTICAST_TTL, on: []kind{udp4}, initial: 1, reads: map[int]int{0: 0, 7: 7, 255: 255, -1: 1}, refuses: einval(256, -2)},
	{name: "IP_MULTICAST_LOOP", option: socket.IP_MULTICAST_LOOP, on: []kind{udp4}, initial: 1, reads: switched},
	{name: "IP_MULTICAST_ALL", option: socket.IP_MULTICAST_ALL, on: []kind{udp4}, initial: 1, reads: map[int]int{0: 0, 1: 1}, refuses: einval(2, -1)},
	{name: "IP_HDRINCL", option: socket.IP_HDRINCL, on: []kind{raw4}, reads: switched, needs: raw},
}),
	on4("option-ip/IP_TTL-default", "-1 is the default again", optionTTLDefault),
	on4("option-ip/IP_TTL-sent", "what is sent has the TTL", optionTTLSent),
	on4("option-ip/IP_MTU-read-only", "IP_MTU cannot be set", optionMTUReadOnly),
	on4("option-ip/IP_HDRINCL-raw-only", "IP_HDRINCL is for raw sockets: ENOPROTOOPT", optionHdrinclRawOnly),
	on4("option-ip/multicast-stream", "the multicast TTL of a stream is EINVAL", optionMulticastStream),
	on6("option-ip/on-INET6", "an INET6 socket has the options of IPv4, for what it does with that", optionIPOnInet6),
)

func optionTTLDefault(t *T, f family) {
	s := t.udp(t.A, f)
	before := get(t, s, socket.IP_TTL)
	set(t, s, socket.IP_TTL, 7)
	set(t, s, socket.IP_TTL, -1)
	equal(t, "IP_TTL", get(t, s, socket.IP_TTL), before)
}

func optionTTLSent(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, b, socket.IP_RECVTTL, 1)
	for _, ttl := range []int{1, 64, 200} {
		set(t, a, socket.IP_TTL, ttl)
		t.send(a, "x")
		equal(t, "TTL", t.recvMsg(b).Control.TTL, ttl)
	}
}

func optionMTUReadOnly(t *T, f family) {
	s := t.udp(t.A, f)
	t.connect(s, at(f.b, 9))
	t.fails("IP_MTU", socket.Set(s, socket.IP_MTU, 1400), syscall.ENOPROTOOPT)
}

func optionHdrinclRawOnly(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		t.fails("IP_HDRINCL", socket.Set(s, socket.IP_HDRINCL, 1), syscall.ENOPROTOOPT)
	})
}

func optionMulticastStream(t *T, f family) {
	t.fails("IP_MULTICAST_TTL", socket.Set(t.tcp(t.A, f), socket.IP_MULTICAST_TTL, 1), syscall.EINVAL)
}

func optionIPOnInet6(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		for _, o := range []socket.Option[int]{socket.IP_TTL, socket.IP_TOS, socket.IP_RECVERR} {
			set(t, s, o, 1<<2)
			if got := get(t, s, o); got == 0 {
				t.Errorf("option %v: %d", o.ID, got)
			}
		}
	})
}
