package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

var socketOptionCases = append(optionCases("option", []optionRow{
	{name: "SO_REUSEADDR", option: socket.SO_REUSEADDR, on: every, reads: switched},
	{name: "SO_REUSEPORT", option: socket.SO_REUSEPORT, on: every, reads: switched},
	{name: "SO_BROADCAST", option: socket.SO_BROADCAST, on: every, reads: switched},
	{name: "SO_KEEPALIVE", option: socket.SO_KEEPALIVE, on: streams, reads: switched},
	{name: "SO_OOBINLINE", option: socket.SO_OOBINLINE, on: streams, reads: switched},
	{name: "SO_DONTROUTE", option: socket.SO_DONTROUTE, on: every, reads: switched},
	{name: "SO_RCVLOWAT", option: socket.SO_RCVLOWAT, on: every, initial: 1, reads: map[int]int{0: 1, 1: 1, 100: 100}},
	{name: "SO_MAX_PACING_RATE", option: socket.SO_MAX_PACING_RATE, on: streams, initial: -1, reads: map[int]int{100_000: 100_000, 1 << 30: 1 << 30, -1: -1}},
	{name: "SO_ZEROCOPY", option: socket.SO_ZEROCOPY, on: streams, reads: map[int]int{0: 0, 1: 1}, refuses: einval(-1, 2)},
	{name: "SO_RCVBUF", option: socket.SO_RCVBUF, on: every, initial: fromSysctl, reads: map[int]int{10000: 20000, 30001: 60002}},
	{name: "SO_SNDBUF", option: socket.SO_SNDBUF, on: every, initial: fromSysctl, reads: map[int]int{10000: 20000, 30001: 60002}},
	{name: "SO_ACCEPTCONN", option: socket.SO_ACCEPTCONN, on: every, refuses: map[int]syscall.Errno{1: syscall.ENOPROTOOPT}},
	{name: "SO_ERROR", option: socket.SO_ERROR, on: every, refuses: map[int]syscall.Errno{1: syscall.ENOPROTOOPT}},
	{name: "SO_TYPE", option: socket.SO_TYPE, on: every, initial: fromSysctl, refuses: map[int]syscall.Errno{1: syscall.ENOPROTOOPT}},
	{name: "SO_DOMAIN", option: socket.SO_DOMAIN, on: every, initial: fromSysctl, refuses: map[int]syscall.Errno{1: syscall.ENOPROTOOPT}},
	{name: "SO_PROTOCOL", option: socket.SO_PROTOCOL, on: every, initial: fromSysctl, refuses: map[int]syscall.Errno{1: syscall.ENOPROTOOPT}},
}),
	both("option/unknown", "an option that does not exist is ENOPROTOOPT", optionUnknown),
	both("option/wrong-type", "a value of another Go type is EINVAL", optionWrongType),
	both("option/wrong-level", "an option of another protocol is ENOPROTOOPT to set; to read, EOPNOTSUPP on INET", optionWrongLevel),
	both("option/SO_REUSEADDR-raw", "raw and ping sockets have SO_REUSEADDR on at first", optionReuseRaw).needing(raw|ping),
	both("option/buffer-floor", "a buffer never gets smaller than some thousand bytes", optionBufferFloor),
	both("option/buffer-ceiling", "a buffer larger than allowed is cut without an error", optionBufferCeiling),
	both("option/SO_BINDTODEVICE", "the socket is bound to a named interface, and released by no name", optionBindToDevice),
	both("option/SO_BINDTODEVICE-unknown", "an interface that does not exist is ENODEV", optionBindToDeviceUnknown),
	both("option/SO_BINDTODEVICE-receive", "a bound socket takes what comes in at its interface only", optionBindToDeviceReceive).needing(link),
	both("option/SO_BINDTODEVICE-send", "a bound socket sends out of its interface only", optionBindToDeviceSend).needing(link),
	both("option/SO_DONTROUTE-sends", "SO_DONTROUTE reaches hosts on the link", optionDontroute),
)

func optionUnknown(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		for _, id := range []socket.OptionID{{Level: socket.SOL_SOCKET, Name: 9999}, {Level: 4242, Name: 1}, {Level: socket.SOL_TCP, Name: 999}} {
			lacks(t, s, socket.Option[int]{ID: id}, syscall.ENOPROTOOPT, syscall.ENOPROTOOPT)
		}
	})
}

func optionWrongType(t *T, f family) {
	s := t.tcp(t.A, f)
	for _, x := range []struct {
		id socket.OptionID
		v  any
	}{
		{socket.SO_REUSEADDR.ID, true},
		{socket.SO_REUSEADDR.ID, int32(1)},
		{socket.SO_REUSEADDR.ID, nil},
		{socket.SO_LINGER.ID, 1},
		{socket.SO_BINDTODEVICE.ID, 1},
		{socket.TCP_CONGESTION.ID, []byte("reno")},
		{socket.IP_ADD_MEMBERSHIP.ID, "239.1.2.3"},
		{socket.IPV6_JOIN_GROUP.ID, &socket.Group{}},
		{socket.MCAST_JOIN_SOURCE_GROUP.ID, 7},
	} {
		if err := s.SetOption(x.id, x.v); err != syscall.EINVAL {
			t.Errorf("option %v set to a %T: %s, want EINVAL", x.id, x.v, errName(err))
		}
	}
}

func optionWrongLevel(t *T, f family) {
	u := t.udp(t.A, f)
	toGet := syscall.ENOPROTOOPT
	if f.domain == socket.INET {
		toGet = syscall.EOPNOTSUPP
		lacks(t, u, socket.IPV6_V6ONLY, syscall.ENOPROTOOPT, toGet)
		lacks(t, t.tcp(t.A, f), socket.IPV6_TCLASS, syscall.ENOPROTOOPT, toGet)
	}
	lacks(t, u, socket.TCP_NODELAY, syscall.ENOPROTOOPT, toGet)
	lacks(t, u, socket.TCP_MAXSEG, syscall.ENOPROTOOPT, toGet)
	t.fails("ICMP_FILTER", socket.Set(u, socket.ICMP_FILTER, 0), syscall.ENOPROTOOPT)
}

func optionReuseRaw(t *T, f family) {
	equal(t, "raw", get(t, t.raw(t.A, f, testing1), socket.SO_REUSEADDR), 1)
	equal(t, "ping", get(t, t.ping(f), socket.SO_REUSEADDR), 1)
}

func optionBufferFloor(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		for _, o := range []socket.Option[int]{socket.SO_RCVBUF, socket.SO_SNDBUF} {
			for _, n := range []int{0, 1} {
				set(t, s, o, n)
				if got := get(t, s, o); got < 1024 || got > 16384 {
					t.Errorf("option %v set to %d: %d", o.ID, n, got)
				}
			}
		}
	})
}

func optionBufferCeiling(t *T, f family) {
	s := t.udp(t.A, f)
	for _, o := range []socket.Option[int]{socket.SO_RCVBUF, socket.SO_SNDBUF} {
		set(t, s, o, 1<<30-1)
		if got := get(t, s, o); got < 20000 || got >= 1<<31-2 {
			t.Errorf("option %v: %d", o.ID, got)
		}
	}
}

func optionBindToDevice(t *T, f family) {
	internet(t, func(typ socket.Type) {
		s := t.socket(t.A, f.domain, typ, 0)
		for _, name := range []string{"", "lo", "", t.InterfaceA} {
			if name != "" || get(t, s, socket.SO_BINDTODEVICE) != "" {
				if err := socket.Set(s, socket.SO_BINDTODEVICE, name); err == syscall.EPERM {
					t.Skip("needs the privilege of raw sockets")
				} else {
					t.ok(err)
				}
			}
			equal(t, "SO_BINDTODEVICE", get(t, s, socket.SO_BINDTODEVICE), name)
		}
	})
}

func optionBindToDeviceUnknown(t *T, f family) {
	s := t.udp(t.A, f)
	t.fails("SO_BINDTODEVICE", socket.Set(s, socket.SO_BINDTODEVICE, "nosuch0"), syscall.ENODEV)
}

func optionBindToDeviceReceive(t *T, f family) {
	s := t.udp(t.B, f)
	set(t, s, socket.SO_BINDTODEVICE, t.InterfaceB)
	t.bound(s, f.any)
	port := s.LocalAddr().Port()
	t.sendTo(t.udp(t.B, f), "from within", at(f.loopback, port))
	t.sendTo(t.udp(t.A, f), "from the link", at(f.b, port))
	t.receives(s, "from the link")
	t.nothing(s)
}

func optionBindToDeviceSend(t *T, f family) {
	s := t.udp(t.A, f)
	set(t, s, socket.SO_BINDTODEVICE, t.InterfaceA)
	b := t.udpAt(t.B, f, f.b)
	t.sendTo(s, "x", b.LocalAddr())
	t.receives(b, "x")
}

func optionDontroute(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, a, socket.SO_DONTROUTE, 1)
	t.send(a, "x")
	t.receives(b, "x")
}
