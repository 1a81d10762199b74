package sockettest

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var multicastCases = []rows{
	// HOST-145.
	both("multicast/joined", "a member of the group receives what is sent to it", multicastJoined).needing(link),
	both("multicast/not-joined", "a host without members receives nothing", multicastNotJoined).needing(link),
	both("multicast/left", "who has left receives nothing more", multicastLeft).needing(link),
	both("multicast/closed", "Close leaves the group", multicastClosed).needing(link),
	both("multicast/all", "a socket that is no member hears what others of the host have joined", multicastAll).needing(link),
	on4("multicast/all-off", "without IP_MULTICAST_ALL it does not", multicastAllOff).needing(link),
	both("multicast/every-member", "every member gets a copy", multicastEveryMember).needing(link),
	both("multicast/bound-to-group", "a socket bound to the group hears no other, and no unicast", multicastBoundToGroup).needing(link),
	both("multicast/loop", "what is sent comes back to members on the sender's host", multicastLoop).needing(link),
	both("multicast/loop-off", "without loop it does not", multicastLoopOff).needing(link),
	both("multicast/ttl", "the TTL is 1, or as set, and not the unicast one", multicastTTL).needing(link),
	both("multicast/ttl-zero", "with TTL 0 it stays on the host", multicastTTLZero).needing(link),
	both("multicast/source-address", "the source is the interface's address", multicastSourceAddress).needing(link),
	both("multicast/pktinfo", "PktInfo tells the group as the destination", multicastPktInfo).needing(link),
	both("multicast/source", "a source-specific member hears the source only", multicastSource).needing(link),
	both("multicast/source-dropped", "a source that is dropped is heard no more, another still is", multicastSourceDropped).needing(link),
	both("multicast/blocked", "a source that is blocked is not heard until it is unblocked", multicastBlocked).needing(link),
	both("multicast/join-twice", "a second join is EADDRINUSE", multicastJoinTwice),
	both("multicast/two-groups", "a socket joins several groups", multicastTwoGroups),
	both("multicast/leave-not-joined", "to leave what was not joined is EADDRNOTAVAIL", multicastLeaveNotJoined),
	both("multicast/not-a-group", "an address that is no group is EINVAL", multicastNotAGroup),
	both("multicast/unknown-interface", "an interface that does not exist is ENODEV", multicastUnknownInterface),
	both("multicast/wrong-family", "a group of the other family is EINVAL", multicastWrongFamily),
	both("multicast/write-only", "memberships cannot be read: ENOPROTOOPT", multicastWriteOnly),
	both("multicast/source-twice", "a source joined twice is EADDRNOTAVAIL", multicastSourceTwice),
	both("multicast/source-not-joined", "to drop a source of a group that was not joined is EINVAL, a source that was not joined EADDRNOTAVAIL", multicastSourceNotJoined),
	both("multicast/source-modes", "a source-specific member blocks no source: EINVAL", multicastSourceModes),
	on4("multicast/by-local-address", "an IPv4 interface may be named by its address", multicastByLocal),
	on4("multicast/IP_MULTICAST_IF", "the interface of IPv4 groups; an unknown one is EADDRNOTAVAIL", multicastIF4),
}

// group is a group of the family; n tells several apart.
func (f *family) group(n byte) netip.Addr {
	if f.domain == socket.INET {
		return netip.AddrFrom4([4]byte{239, 77, 77, n})
	}
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x15, 14: 77, 15: n})
}

// The multicast options of a family.

func (f *family) join() socket.Option[socket.Group] {
	if f.domain == socket.INET {
		return socket.IP_ADD_MEMBERSHIP
	}
	return socket.IPV6_JOIN_GROUP
}

func (f *family) leave() socket.Option[socket.Group] {
	if f.domain == socket.INET {
		return socket.IP_DROP_MEMBERSHIP
	}
	return socket.IPV6_LEAVE_GROUP
}

func (f *family) joinSource() socket.Option[socket.Group] {
	if f.domain == socket.INET {
		return socket.IP_ADD_SOURCE_MEMBERSHIP
	}
	return socket.MCAST_JOIN_SOURCE_GROUP
}

func (f *family) leaveSource() socket.Option[socket.Group] {
	if f.domain == socket.INET {
		return socket.IP_DROP_SOURCE_MEMBERSHIP
	}
	return socket.MCAST_LEAVE_SOURCE_GROUP
}

func (f *family) block() socket.Option[socket.Group] {
	if f.domain == socket.INET {
		return socket.IP_BLOCK_SOURCE
	}
	return socket.MCAST_BLOCK_SOURCE
}

func (f *family) unblock() socket.Option[socket.Group] {
	if f.domain == socket.INET {
		return socket.IP_UNBLOCK_SOURCE
	}
	return socket.MCAST_UNBLOCK_SOURCE
}

func (f *family) multicastTTL() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_MULTICAST_TTL
	}
	return socket.IPV6_MULTICAST_HOPS
}

func (f *family) multicastLoop() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_MULTICAST_LOOP
	}
	return socket.IPV6_MULTICAST_LOOP
}

// through makes s send to groups through an interface.
func (t *T) through(s socket.Socket, f family, index int) socket.Socket {
	t.Helper()
	if f.domain == socket.INET {
		set(t, s, socket.IP_MULTICAST_IF, socket.Group{Interface: index})
	} else {
		set(t, s, socket.IPV6_MULTICAST_IF, index)
	}
	return s
}

// announcer sends to groups from A.
func (t *T) announcer(f family) socket.Socket {
	t.Helper()
	return t.through(t.udpAt(t.A, f, f.a), f, t.IndexA)
}

// member is a UDP socket on B that has joined a group.
func (t *T) member(f family, port uint16, groups ...netip.Addr) socket.Socket {
	t.Helper()
	s := t.reusing(t.B, f, at(f.any, port))
	for _, g := range groups {
		set(t, s, f.join(), socket.Group{Group: g, Interface: t.IndexB})
	}
	return s
}

func portOf(s socket.Socket) uint16 { return s.LocalAddr().Port() }

// onlyUnicast sends to a group and then to B itself, of which s hears only the
// latter.
func (t *T) onlyUnicast(from, s socket.Socket, f family, group netip.Addr) {
	t.Helper()
	t.sendTo(from, "to the group", at(group, portOf(s)))
	t.sendTo(from, "to the host", at(f.b, portOf(s)))
	t.receives(s, "to the host")
	t.nothing(s)
}

func multicastJoined(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0, f.group(1))
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receivesFrom(s, "to the group", a.LocalAddr())
	t.nothing(s)
}

func multicastNotJoined(t *T, f family) {
	t.onlyUnicast(t.announcer(f), t.member(f, 0, f.group(1)), f, f.group(2))
}

func multicastLeft(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0, f.group(1))
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receives(s, "to the group")
	set(t, s, f.leave(), socket.Group{Group: f.group(1), Interface: t.IndexB})
	t.onlyUnicast(a, s, f, f.group(1))
}

func multicastClosed(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0)
	member := t.member(f, 0, f.group(1))
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receives(s, "to the group")
	t.ok(member.Close())
	t.onlyUnicast(a, s, f, f.group(1))
}

func multicastAll(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0)
	t.member(f, 0, f.group(1))
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receives(s, "to the group")
}

func multicastAllOff(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0)
	t.member(f, 0, f.group(1))
	set(t, s, socket.IP_MULTICAST_ALL, 0)
	t.onlyUnicast(a, s, f, f.group(1))
}

func multicastEveryMember(t *T, f family) {
	first := t.member(f, 0, f.group(1))
	second := t.member(f, portOf(first), f.group(1))
	t.sendTo(t.announcer(f), "to the group", at(f.group(1), portOf(first)))
	t.receives(first, "to the group")
	t.receives(second, "to the group")
}

func multicastBoundToGroup(t *T, f family) {
	s := t.reusing(t.B, f, at(f.group(1), 0))
	for n := byte(1); n <= 2; n++ {
		set(t, s, f.join(), socket.Group{Group: f.group(n), Interface: t.IndexB})
	}
	a := t.announcer(f)
	t.sendTo(a, "to the other", at(f.group(2), portOf(s)))
	t.sendTo(a, "to the host", at(f.b, portOf(s)))
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receives(s, "to the group")
	t.nothing(s)
}

// memberOnA is a member on the host of the announcer.
func (t *T) memberOnA(f family) socket.Socket {
	t.Helper()
	s := t.udpAt(t.A, f, f.any)
	set(t, s, f.join(), socket.Group{Group: f.group(1), Interface: t.IndexA})
	return s
}

func multicastLoop(t *T, f family) {
	a, s := t.announcer(f), t.memberOnA(f)
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receives(s, "to the group")
	t.nothing(s)
}

func multicastLoopOff(t *T, f family) {
	a, s := t.announcer(f), t.memberOnA(f)
	set(t, a, f.multicastLoop(), 0)
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.sendTo(a, "to the host", at(f.a, portOf(s)))
	t.receives(s, "to the host")
	t.nothing(s)
}

func multicastTTL(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0, f.group(1))
	set(t, s, f.recvTTL(), 1)
	set(t, a, f.ttl(), 99)
	t.sendTo(a, "x", at(f.group(1), portOf(s)))
	equal(t, "TTL", t.recvMsg(s).Control.TTL, 1)
	set(t, a, f.multicastTTL(), 7)
	t.sendTo(a, "x", at(f.group(1), portOf(s)))
	equal(t, "TTL when set", t.recvMsg(s).Control.TTL, 7)
}

func multicastTTLZero(t *T, f family) {
	s := t.member(f, 0, f.group(1))
	a := t.announcer(f)
	own := t.udp(t.A, f)
	set(t, own, f.join(), socket.Group{Group: f.group(1), Interface: t.IndexA})
	t.ok(own.Bind(at(f.any, portOf(s))))
	set(t, a, f.multicastTTL(), 0)
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receives(own, "to the group")
	t.sendTo(a, "to the host", at(f.b, portOf(s)))
	t.receives(s, "to the host")
	t.nothing(s)
}

func multicastSourceAddress(t *T, f family) {
	a, s := t.through(t.udp(t.A, f), f, t.IndexA), t.member(f, 0, f.group(1))
	t.sendTo(a, "x", at(f.group(1), portOf(s)))
	t.receivesFrom(s, "x", at(f.a, portOf(a)))
}

func multicastPktInfo(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0, f.group(1))
	set(t, s, f.recvPktInfo(), 1)
	t.sendTo(a, "x", at(f.group(1), portOf(s)))
	local := f.b
	if f.domain == socket.INET6 {
		local = f.group(1)
	}
	equal(t, "PktInfo", t.recvMsg(s).Control.PktInfo, socket.PktInfo{Interface: t.IndexB, Dst: f.group(1), Local: local})
}

// from is a source of group 1 on B's interface.
func (t *T) from(f family, source netip.Addr) socket.Group {
	return socket.Group{Group: f.group(1), Source: source, Interface: t.IndexB}
}

// announcers send to groups from A and from B itself.
func (t *T) announcers(f family) (a, b socket.Socket) {
	t.Helper()
	return t.announcer(f), t.through(t.udpAt(t.B, f, f.b), f, t.IndexB)
}

func multicastSource(t *T, f family) {
	a, b := t.announcers(f)
	s := t.member(f, 0)
	set(t, s, f.joinSource(), t.from(f, f.a))
	t.sendTo(b, "from another", at(f.group(1), portOf(s)))
	t.sendTo(a, "from the source", at(f.group(1), portOf(s)))
	t.receives(s, "from the source")
	t.nothing(s)
}

func multicastSourceDropped(t *T, f family) {
	a, b := t.announcers(f)
	s := t.member(f, 0)
	set(t, s, f.joinSource(), t.from(f, f.a))
	set(t, s, f.joinSource(), t.from(f, f.b))
	set(t, s, f.leaveSource(), t.from(f, f.a))
	t.sendTo(a, "dropped", at(f.group(1), portOf(s)))
	t.sendTo(b, "kept", at(f.group(1), portOf(s)))
	t.receives(s, "kept")
	t.nothing(s)
}

func multicastBlocked(t *T, f family) {
	a, s := t.announcer(f), t.member(f, 0, f.group(1))
	set(t, s, f.block(), t.from(f, f.a))
	t.onlyUnicast(a, s, f, f.group(1))
	set(t, s, f.unblock(), t.from(f, f.a))
	t.sendTo(a, "to the group", at(f.group(1), portOf(s)))
	t.receives(s, "to the group")
}

func multicastJoinTwice(t *T, f family) {
	s := t.member(f, 0, f.group(1))
	err := socket.Set(s, f.join(), socket.Group{Group: f.group(1), Interface: t.IndexB})
	t.fails("second join", err, syscall.EADDRINUSE)
}

func multicastTwoGroups(t *T, f family) {
	s := t.member(f, 0, f.group(1), f.group(2), f.group(3))
	for n := byte(1); n <= 3; n++ {
		set(t, s, f.leave(), socket.Group{Group: f.group(n), Interface: t.IndexB})
	}
}

func multicastLeaveNotJoined(t *T, f family) {
	s := t.member(f, 0, f.group(1))
	err := socket.Set(s, f.leave(), socket.Group{Group: f.group(2), Interface: t.IndexB})
	t.fails("leave", err, syscall.EADDRNOTAVAIL)
}

func multicastNotAGroup(t *T, f family) {
	for _, a := range []netip.Addr{f.b, f.any, {}} {
		err := socket.Set(t.udp(t.B, f), f.join(), socket.Group{Group: a, Interface: t.IndexB})
		t.fails("join", err, syscall.EINVAL)
	}
}

func multicastUnknownInterface(t *T, f family) {
	err := socket.Set(t.udp(t.B, f), f.join(), socket.Group{Group: f.group(1), Interface: 1 << 20})
	t.fails("join", err, syscall.ENODEV)
}

func multicastWrongFamily(t *T, f family) {
	other := t.ipv4()
	if f.domain == socket.INET {
		other = t.ipv6()
	}
	err := socket.Set(t.udp(t.B, f), f.join(), socket.Group{Group: other.group(1), Interface: t.IndexB})
	t.fails("join", err, syscall.EINVAL)
}

func multicastWriteOnly(t *T, f family) {
	s := t.member(f, 0, f.group(1))
	for _, o := range []socket.Option[socket.Group]{f.join(), f.leave(), f.joinSource(), f.leaveSource(), f.block(), f.unblock()} {
		_, err := socket.Get(s, o)
		t.fails("reading "+o.ID.String(), err, syscall.ENOPROTOOPT)
	}
}

func multicastSourceTwice(t *T, f family) {
	s := t.member(f, 0)
	set(t, s, f.joinSource(), t.from(f, f.foreign))
	t.fails("second join", socket.Set(s, f.joinSource(), t.from(f, f.foreign)), syscall.EADDRNOTAVAIL)
}

func multicastSourceNotJoined(t *T, f family) {
	s := t.member(f, 0)
	t.fails("no member", socket.Set(s, f.leaveSource(), t.from(f, f.foreign)), syscall.EINVAL)
	set(t, s, f.joinSource(), t.from(f, f.foreign))
	t.fails("another source", socket.Set(s, f.leaveSource(), t.from(f, f.b)), syscall.EADDRNOTAVAIL)
}

func multicastSourceModes(t *T, f family) {
	s := t.member(f, 0)
	set(t, s, f.joinSource(), t.from(f, f.foreign))
	t.fails("block", socket.Set(s, f.block(), t.from(f, f.b)), syscall.EINVAL)
}

func multicastByLocal(t *T, f family) {
	s := t.udp(t.B, f)
	set(t, s, socket.IP_ADD_MEMBERSHIP, socket.Group{Group: f.group(1), Local: f.b})
	set(t, s, socket.IP_DROP_MEMBERSHIP, socket.Group{Group: f.group(1), Local: f.b})
	set(t, s, socket.IP_ADD_SOURCE_MEMBERSHIP, socket.Group{Group: f.group(1), Source: f.foreign, Local: f.b})
	set(t, s, socket.IP_DROP_SOURCE_MEMBERSHIP, socket.Group{Group: f.group(1), Source: f.foreign, Local: f.b})
}

func multicastIF4(t *T, f family) {
	s := t.udp(t.B, f)
	equal(t, "at first", get(t, s, socket.IP_MULTICAST_IF), socket.Group{})
	set(t, s, socket.IP_MULTICAST_IF, socket.Group{Local: f.b})
	equal(t, "by address", get(t, s, socket.IP_MULTICAST_IF), socket.Group{Local: f.b})
	set(t, s, socket.IP_MULTICAST_IF, socket.Group{})
	equal(t, "none again", get(t, s, socket.IP_MULTICAST_IF), socket.Group{})
	t.fails("unknown address", socket.Set(s, socket.IP_MULTICAST_IF, socket.Group{Local: f.foreign}), syscall.EADDRNOTAVAIL)
	t.fails("unknown index", socket.Set(s, socket.IP_MULTICAST_IF, socket.Group{Interface: 1 << 20}), syscall.EADDRNOTAVAIL)
}
