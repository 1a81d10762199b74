package multicast

import (
	"net/netip"
	"slices"
	"syscall"

	"example.com/berth/internal/lean"
)

// Limits bounds what one socket may join. A zero field takes Linux's default.
type Limits struct {
	// Memberships is the most groups that a socket joins: 20 for IPv4
	// (igmp_max_memberships). Linux bounds those for IPv6 by memory, at some
	// 2300 and with ENOMEM; here it is 1024.
	Memberships int
	// Sources is the most sources in one membership: 10 for IPv4
	// (igmp_max_msf), 64 for IPv6 (mld_max_msf).
	Sources int
}

func (l Limits) of(group netip.Addr) Limits {
	defaults := Limits{Memberships: 20, Sources: 10}
	if group.Is6() {
		defaults = Limits{Memberships: 1024, Sources: 64}
	}
	if l.Memberships == 0 {
		l.Memberships = defaults.Memberships
	}
	if l.Sources == 0 {
		l.Sources = defaults.Sources
	}
	return l
}

// Filter is what one socket asks for. The zero value has joined nothing.
//
// The interface in each call is the one that the host found for it. In calls
// that change or end a membership, 0 means any that fits.
type Filter struct {
	// Limits bounds the memberships.
	Limits Limits
	// OnlyJoined takes packets to no group that the socket has not joined: it
	// is IP_MULTICAST_ALL switched off. By default a socket takes what is sent
	// to any group that anybody on the host has joined.
	OnlyJoined bool

	members []member
}

type member struct {
	iface int
	group netip.Addr
	Sources
	listed bool // had a source: the mode is settled
}

// Change is a change of one membership, to be given to [Interface.Apply] of the
// interface that it names.
type Change struct {
	Interface int
	Group     netip.Addr
	From, To  Sources
}

// Membership shows a membership of a socket.
type Membership struct {
	Interface int
	Group     netip.Addr
	Sources
}

// Accepts tells whether the socket takes a packet to group from source that came
// in on an interface. It allocates nothing.
func (f *Filter) Accepts(iface int, group, source netip.Addr) bool {
	group, source = group.WithZone(""), source.WithZone("")
	for k := range f.members {
		m := &f.members[k]
		// Linux compares the interface for IPv4 only.
		if m.group == group && (m.iface == iface || group.Is6()) {
			return m.Allows(source)
		}
	}
	return !f.OnlyJoined
}

// Join takes packets to group from any source (IP_ADD_MEMBERSHIP,
// IPV6_JOIN_GROUP). Errors: EINVAL if it is no group, EADDRINUSE if it is joined
// already, ENOBUFS at the limit, which for IPv6 is ENOMEM.
func (f *Filter) Join(iface int, group netip.Addr) (Change, error) {
	return f.join(iface, group, Sources{Exclude: true})
}

func (f *Filter) join(iface int, group netip.Addr, s Sources) (Change, error) {
	group = group.WithZone("")
	if !group.IsMulticast() {
		return Change{}, syscall.EINVAL
	}
	if f.find(iface, group) != nil {
		return Change{}, syscall.EADDRINUSE
	}
	if len(f.members) >= f.Limits.of(group).Memberships {
		if group.Is6() {
			return Change{}, syscall.ENOMEM
		}
		return Change{}, syscall.ENOBUFS
	}
	f.members = append(f.members, member{iface: iface, group: group, Sources: s, listed: len(s.List) > 0})
	return Change{Interface: iface, Group: group, To: s}, nil
}

// Leave ends a membership of any kind (IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP).
// Errors: EADDRNOTAVAIL if it is not joined, EINVAL if it is no IPv6 group.
func (f *Filter) Leave(iface int, group netip.Addr) (Change, error) {
	group = group.WithZone("")
	if group.Is6() && !group.IsMulticast() {
		return Change{}, syscall.EINVAL
	}
	m := f.find(iface, group)
	if m == nil {
		return Change{}, syscall.EADDRNOTAVAIL
	}
	return f.drop(m), nil
}

// JoinSource takes packets to group from one more source
// (IP_ADD_SOURCE_MEMBERSHIP, MCAST_JOIN_SOURCE_GROUP). Errors: EINVAL if it is no
// group, or sources of it are blocked; EADDRNOTAVAIL if the source is joined
// already, or is not of the group's family; ENOBUFS at a limit.
func (f *Filter) JoinSource(iface int, group, source netip.Addr) (Change, error) {
	group, source = group.WithZone(""), source.WithZone("")
	if f.find(iface, group) == nil && isSource(group, source) {
		return f.join(iface, group, Sources{List: []netip.Addr{source}})
	}
	return f.add(iface, group, source, false)
}

// LeaveSource ends what JoinSource began (IP_DROP_SOURCE_MEMBERSHIP,
// MCAST_LEAVE_SOURCE_GROUP); with its last source the membership ends. Errors:
// EINVAL without a membership of this kind, EADDRNOTAVAIL for another source.
func (f *Filter) LeaveSource(iface int, group, source netip.Addr) (Change, error) {
	return f.remove(iface, group, source, false)
}

// Block takes no more packets to a joined group from source (IP_BLOCK_SOURCE,
// MCAST_BLOCK_SOURCE). Errors: EINVAL without a membership from Join,
// EADDRNOTAVAIL if the source is blocked already, ENOBUFS at the limit.
func (f *Filter) Block(iface int, group, source netip.Addr) (Change, error) {
	return f.add(iface, group, source, true)
}

// Unblock ends what Block began (IP_UNBLOCK_SOURCE, MCAST_UNBLOCK_SOURCE).
// Errors: EINVAL without a membership from Join, EADDRNOTAVAIL if the source is
// not blocked.
func (f *Filter) Unblock(iface int, group, source netip.Addr) (Change, error) {
	return f.remove(iface, group, source, true)
}

// Close ends all memberships, as closing the socket does.
func (f *Filter) Close() (changes []Change) {
	for len(f.members) > 0 {
		changes = append(changes, f.drop(&f.members[0]))
	}
	return changes
}

// Drop ends the memberships on an interface that goes away.
func (f *Filter) Drop(iface int) {
	f.members = lean.Drop(f.members, func(m *member) bool { return m.iface == iface })
}

// Memberships appends all memberships to buf.
func (f *Filter) Memberships(buf []Membership) []Membership {
	for _, m := range f.members {
		buf = append(buf, Membership{m.iface, m.group, m.Sources})
	}
	return buf
}

// find gives a membership; it is valid until the next change.
func (f *Filter) find(iface int, group netip.Addr) *member {
	for k := range f.members {
		if m := &f.members[k]; m.group == group && (iface == 0 || m.iface == iface) {
			return m
		}
	}
	return nil
}

// listOf gives the membership whose list of sources is to be changed.
func (f *Filter) listOf(iface int, group, source netip.Addr, exclude bool) (*member, error) {
	if !isSource(group, source) {
		return nil, syscall.EADDRNOTAVAIL
	}
	m := f.find(iface, group)
	if m == nil || m.listed && m.Exclude != exclude {
		return nil, syscall.EINVAL
	}
	return m, nil
}

func (f *Filter) add(iface int, group, source netip.Addr, exclude bool) (Change, error) {
	group, source = group.WithZone(""), source.WithZone("")
	m, err := f.listOf(iface, group, source, exclude)
	switch {
	case err != nil:
		return Change{}, err
	case len(m.List) >= f.Limits.of(group).Sources:
		return Change{}, syscall.ENOBUFS
	case slices.Contains(m.List, source):
		return Change{}, syscall.EADDRNOTAVAIL
	}
	m.listed = true // a membership without sources may change its mode
	return m.set(Sources{Exclude: exclude, List: with(m.List, source)}), nil
}

func (f *Filter) remove(iface int, group, source netip.Addr, exclude bool) (Change, error) {
	group, source = group.WithZone(""), source.WithZone("")
	m, err := f.listOf(iface, group, source, exclude)
	switch {
	case err != nil:
		return Change{}, err
	case !slices.Contains(m.List, source):
		return Change{}, syscall.EADDRNOTAVAIL
	case !exclude && len(m.List) == 1:
		return f.drop(m), nil
	}
	return m.set(Sources{Exclude: exclude, List: without(m.List, source)}), nil
}

func (m *member) set(s Sources) Change {
	c := Change{Interface: m.iface, Group: m.group, From: m.Sources, To: s}
	m.Sources = s
	return c
}

func (f *Filter) drop(m *member) Change {
	c := m.set(Sources{})
	f.members = lean.Drop(f.members, func(x *member) bool { return x.group == c.Group && x.iface == c.Interface })
	return c
}

// isSource tells whether an address can be named as a source of packets to a
// group. Linux does not look closer either.
func isSource(group, source netip.Addr) bool {
	return source.IsValid() && source.Is4() == group.Is4()
}
