package berth

import (
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/multicast"
	"example.com/berth/socket"
)

// memberships are the groups that an interface takes packets for. The
// interface's lock guards them.
type memberships struct{ v4, v6 *multicast.Interface }

// of is the part for the family of an address.
func (m *memberships) of(group netip.Addr) *multicast.Interface {
	if group.Is4() {
		return m.v4
	}
	return m.v6
}

func (ifc *Interface) initGroups() {
	mtu := ifc.info.Load().MTU
	random := ifc.host.random.Uint64
	ifc.groups.v4 = multicast.New(multicast.Config{MTU: mtu, Rand: random})
	ifc.groups.v6 = multicast.New(multicast.Config{IPv6: true, MTU: mtu, Rand: random})
}

// groupReport is a message of IGMP or MLD that is to be sent.
type groupReport = multicast.Message

func (ifc *Interface) takeReports(buf []groupReport) []groupReport {
	return ifc.groups.v6.Take(ifc.groups.v4.Take(buf))
}

func (ifc *Interface) groupDeadline() time.Duration {
	return earliest(ifc.groups.v4.Deadline(), ifc.groups.v6.Deadline())
}

func (ifc *Interface) groupTimer(now time.Duration) {
	ifc.groups.v4.Timer(now)
	ifc.groups.v6.Timer(now)
}

// sendReport sends a message to the routers of the link.
func (ifc *Interface) sendReport(m *groupReport) {
	if ifc == ifc.host.lo {
		return
	}
	message := m.Append(nil)
	mac := header.MulticastMAC(m.Dst)
	if m.Dst.Is4() {
		src := netip.IPv4Unspecified()
		if a := ifc.host.addressOn(ifc.index, m.Dst); a.IsValid() {
			src = a
		}
		ifc.emitDirect(&transport{
			protocol: header.ProtocolIGMP, src: src, dst: m.Dst, ttl: 1, tos: 0xc0, df: true,
			options: []byte(header.IPv4RouterAlert),
		}, nil, message, mac)
		return
	}
	if ifc.host.config.IPv6.Disabled {
		return
	}
	header.PutICMPv6Checksum(message, m.Src, m.Dst)
	ifc.emitDirect(&transport{protocol: header.ProtocolHopByHop, src: m.Src, dst: m.Dst, ttl: 1},
		header.AppendRouterAlert(nil, header.ProtocolICMPv6), message, mac)
}

// hostJoin and hostLeave change the host's own memberships: solicited-node
// groups. A report of them waits for delay.
func (ifc *Interface) hostJoin(group netip.Addr, delay time.Duration) {
	ifc.mu.Lock()
	ifc.groups.of(group).Join(ifc.host.now(), group, delay)
	ifc.act()
}

func (ifc *Interface) hostLeave(group netip.Addr) {
	ifc.mu.Lock()
	ifc.groups.of(group).Leave(ifc.host.now(), group)
	ifc.act()
}

// hasGroup tells whether the interface takes packets from a source to a group.
func (ifc *Interface) hasGroup(group, source netip.Addr) bool {
	ifc.mu.Lock()
	defer ifc.mu.Unlock()
	return ifc.groups.of(group).Accepts(group, source)
}

// igmpInput takes an IGMP message.
func (ifc *Interface) igmpInput(in *inPacket) {
	c := &ifc.host.count.ICMP
	b := in.linear()
	if header.Fold(header.Sum(b, 0)) != 0 {
		c.BadChecksum.Add(1)
		return
	}
	if len(b) == 0 {
		c.Malformed.Add(1)
		return
	}
	p := multicast.Packet{Src: in.src, Dst: in.dst, TTL: in.ttl, RouterAlert: in.alert}
	var query header.IGMPQuery
	var report header.IGMPReport
	switch b[0] {
	case header.IGMPTypeQuery:
		if _, err := query.Parse(b); err != nil {
			c.Malformed.Add(1)
			return
		}
		if err := p.CheckQuery(query.Version, query.Group.IsUnspecified()); err != nil {
			c.Malformed.Add(1)
			return
		}
		ifc.queried(ifc.groups.v4, multicast.FromIGMP(&query))
	case header.IGMPTypeV1Report, header.IGMPTypeV2Report:
		if _, err := report.Parse(b); err != nil || p.CheckReport(report.Group) != nil {
			c.Malformed.Add(1)
			return
		}
		ifc.reported(report.Group)
	default:
		c.Ignored.Add(1)
	}
}

// mldInput takes a message of multicast listener discovery, whose checksum is
// verified.
func (ifc *Interface) mldInput(in *inPacket, b []byte) {
	c := &ifc.host.count.ICMP
	p := multicast.Packet{Src: in.src, Dst: in.dst, TTL: in.ttl, RouterAlert: in.alert}
	var query header.MLDQuery
	var report header.MLDReport
	switch b[0] {
	case header.ICMPv6MLDQuery:
		if _, err := query.Parse(b); err != nil || p.CheckQuery(query.Version, query.Group.IsUnspecified()) != nil {
			c.Malformed.Add(1)
			return
		}
		ifc.queried(ifc.groups.v6, multicast.FromMLD(&query))
	case header.ICMPv6MLDReport:
		if _, err := report.Parse(b); err != nil || p.CheckReport(report.Group) != nil {
			c.Malformed.Add(1)
			return
		}
		ifc.reported(report.Group)
	default:
		c.Ignored.Add(1)
	}
}

func (ifc *Interface) queried(m *multicast.Interface, q multicast.Query) {
	ifc.mu.Lock()
	m.Query(ifc.host.now(), q)
	ifc.act()
}

func (ifc *Interface) reported(group netip.Addr) {
	ifc.mu.Lock()
	ifc.groups.of(group).Reported(ifc.host.now(), group)
	ifc.act()
}

// only4 and only6 are the groups that an option of one version takes.
func only4(g netip.Addr) bool { return g.Is4() }
func only6(g netip.Addr) bool { return g.Is6() }

// A groupChange is what a membership option does to the filter of a socket.
type groupChange func(f *multicast.Filter, ifc int, g socket.Group) (multicast.Change, error)

// membership finds what an option does, nil if it is not about memberships, and the
// groups that it is for: nil are those of the socket's domain.
func membership(id socket.OptionID) (change groupChange, takes func(netip.Addr) bool) {
	switch id {
	case socket.IP_ADD_MEMBERSHIP.ID:
		return joinAny, only4
	case socket.IPV6_JOIN_GROUP.ID:
		return joinAny, only6
	case socket.IP_DROP_MEMBERSHIP.ID:
		return leaveAny, only4
	case socket.IPV6_LEAVE_GROUP.ID:
		return leaveAny, only6
	case socket.IP_ADD_SOURCE_MEMBERSHIP.ID:
		return joinSource, only4
	case socket.MCAST_JOIN_SOURCE_GROUP.ID:
		return joinSource, nil
	case socket.IP_DROP_SOURCE_MEMBERSHIP.ID:
		return leaveSource, only4
	case socket.MCAST_LEAVE_SOURCE_GROUP.ID:
		return leaveSource, nil
	case socket.IP_BLOCK_SOURCE.ID:
		return blockSource, only4
	case socket.MCAST_BLOCK_SOURCE.ID:
		return blockSource, nil
	case socket.IP_UNBLOCK_SOURCE.ID:
		return unblockSource, only4
	case socket.MCAST_UNBLOCK_SOURCE.ID:
		return unblockSource, nil
	}
	return nil, nil
}

// setMembership sets an option that membership has found. The lock is held.
func (s *sock) setMembership(value any, change groupChange, takes func(netip.Addr) bool) error {
	g, ok := value.(socket.Group)
	if !ok || s.typ == socket.STREAM || takes != nil && !takes(g.Group) || s.domain == socket.INET && g.Group.Is6() {
		return syscall.EINVAL
	}
	return s.changeGroup(g, change)
}

func joinAny(f *multicast.Filter, i int, g socket.Group) (multicast.Change, error) {
	return f.Join(i, g.Group)
}

func leaveAny(f *multicast.Filter, i int, g socket.Group) (multicast.Change, error) {
	return f.Leave(i, g.Group)
}

func joinSource(f *multicast.Filter, i int, g socket.Group) (multicast.Change, error) {
	return f.JoinSource(i, g.Group, g.Source)
}

func leaveSource(f *multicast.Filter, i int, g socket.Group) (multicast.Change, error) {
	return f.LeaveSource(i, g.Group, g.Source)
}

func blockSource(f *multicast.Filter, i int, g socket.Group) (multicast.Change, error) {
	return f.Block(i, g.Group, g.Source)
}

func unblockSource(f *multicast.Filter, i int, g socket.Group) (multicast.Change, error) {
	return f.Unblock(i, g.Group, g.Source)
}

// changeGroup changes a membership of the socket. The interface is told by
// applyChanges, once the socket's lock, which is held here, is let go: what the
// interface then sends may come back to this very socket.
func (s *sock) changeGroup(g socket.Group, change groupChange) error {
	if !g.Group.IsMulticast() || g.Group.Is4In6() {
		return syscall.EINVAL
	}
	index, err := s.groupInterface(g)
	if err != nil {
		return err
	}
	o := s.group()
	c, err := change(&o.filter, index, g)
	if err != nil {
		return err
	}
	o.joined = true
	o.changes = append(o.changes, c)
	return nil
}

// groupInterface is the interface that a membership is for: the one named by
// index, zone or local address, or the way to the group.
func (s *sock) groupInterface(g socket.Group) (int, error) {
	h := s.host
	switch {
	case g.Interface != 0:
		if h.interfaceByIndex(g.Interface) == nil {
			return 0, syscall.ENODEV
		}
		return g.Interface, nil
	case g.Group.Zone() != "":
		if ifc := h.interfaceByZone(g.Group.Zone()); ifc != nil {
			return ifc.index, nil
		}
		return 0, syscall.ENODEV
	case g.Local.IsValid() && !g.Local.IsUnspecified():
		if l, ok := h.net.Load().isLocal(g.Local); ok {
			return l.ifc.index, nil
		}
		return 0, syscall.ENODEV
	}
	r, err := h.lookup(s.host.net.Load(), g.Group, s.ip.device)
	if err != nil {
		return 0, syscall.ENODEV
	}
	return r.Interface, nil
}

// applyGroup makes a change of a socket's membership one of the interface's.
func (h *Host) applyGroup(c multicast.Change) {
	ifc := h.interfaceByIndex(c.Interface)
	if ifc == nil {
		return
	}
	ifc.mu.Lock()
	ifc.groups.of(c.Group).Apply(h.now(), c)
	ifc.act()
}

// applyChanges tells the interfaces of changes of the socket's memberships. No
// lock is held.
func (s *sock) applyChanges() {
	var changes []multicast.Change
	s.mu.Lock()
	if o := s.ip.groups; o != nil {
		changes, o.changes = o.changes, nil
	}
	o := s.order()
	s.mu.Unlock()
	apply := func() {
		for _, c := range changes {
			s.host.applyGroup(c)
		}
	}
	switch {
	case len(changes) == 0:
	case s.host.waitsForTurn():
		s.host.turns.Post(o, taskFunc(apply))
	default:
		apply()
	}
}

// leaveGroups ends the socket's memberships. The lock is held; applyChanges
// follows.
func (s *sock) leaveGroups() {
	if o := s.ip.groups; o != nil {
		o.changes = append(o.changes, o.filter.Close()...)
	}
}

// inGroup tells whether the socket takes a packet that is addressed to a group:
// any broadcast, and of multicasts what its memberships say.
func (s *sock) inGroup(in *inPacket) bool {
	if !in.dst.IsMulticast() {
		return true
	}
	o := s.ip.groups
	if o == nil || !o.joined {
		return s.ip.multicastAll || in.dst.Is6()
	}
	o.filter.OnlyJoined = !s.ip.multicastAll
	return o.filter.Accepts(in.ifc.index, in.dst, in.src)
}

// setMulticastIf is IP_MULTICAST_IF: by index, or by an address of the
// interface; neither takes the choice back.
func (s *sock) setMulticastIf(g socket.Group) error {
	switch {
	case g.Interface != 0:
		if s.host.interfaceByIndex(g.Interface) == nil {
			return syscall.EADDRNOTAVAIL
		}
		o := s.group()
		o.multicastIf, o.addr = g.Interface, g.Local
	case g.Local.IsValid() && !g.Local.IsUnspecified():
		l, ok := s.host.net.Load().isLocal(g.Local)
		if !ok {
			return syscall.EADDRNOTAVAIL
		}
		o := s.group()
		o.multicastIf, o.addr = l.ifc.index, g.Local
	default:
		if o := s.ip.groups; o != nil {
			o.multicastIf, o.addr = 0, netip.Addr{}
		}
	}
	return nil
}
