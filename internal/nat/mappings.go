package nat

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/list"
)

// A Mapping is a row of the table, for people and tests.
type Mapping struct {
	Protocol        uint8          // an IP protocol number
	Inside, Outside netip.AddrPort // of ICMP the port is the identifier of a query
	// Remote is whom the mapping is for: zero if for all, with port 0 if for an
	// address.
	Remote netip.AddrPort
	// Static: it was configured, and does not expire.
	Static bool
	// Open: everybody outside may send to it.
	Open bool
	// Sessions are the remotes that may send to it, and the connections of TCP.
	Sessions []Session
	// Expires is when the last session ends, 0 for never.
	Expires time.Duration
	Out, In Traffic
}

// A Session is a remote of a mapping.
type Session struct {
	// Remote is zero for all, with port 0 for all ports of an address.
	Remote netip.AddrPort
	// Established is for TCP: both ends have opened the connection, and have not
	// closed it.
	Established bool
	Expires     time.Duration
}

// Mappings returns the table, sorted by protocol, inside endpoint and remote.
func (t *Table) Mappings() []Mapping {
	rows := make([]Mapping, 0, len(t.byOutside))
	for _, m := range t.byOutside {
		rows = append(rows, t.row(m))
	}
	slices.SortFunc(rows, func(a, b Mapping) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), a.Inside.Compare(b.Inside),
			a.Remote.Compare(b.Remote), a.Outside.Compare(b.Outside))
	})
	return rows
}

func (t *Table) row(m *mapping) Mapping {
	r := Mapping{
		Protocol: m.inside.protocol(), Inside: m.inside.addrPort(), Outside: m.outside.addrPort(),
		Remote: m.remote.addrPort(), Static: m.static, Open: m.static || t.cfg.Filtering == EndpointIndependent,
		Out: m.out, In: m.in,
	}
	for _, l := range []*list.List[*session]{&m.transient, &m.established} {
		for s := range l.All {
			x := Session{s.remote.addrPort(), s.timer == establishedTimer, s.last + t.timeout(s.timer)}
			r.Sessions = append(r.Sessions, x)
			r.Expires = max(r.Expires, x.Expires)
		}
	}
	slices.SortFunc(r.Sessions, func(a, b Session) int { return a.Remote.Compare(b.Remote) })
	return r
}

// Len returns the number of mappings.
func (t *Table) Len() int { return len(t.byOutside) }

// String gives the mapping as a line.
func (m Mapping) String() string {
	var b strings.Builder
	name, ok := map[uint8]string{header.ProtocolTCP: "tcp", header.ProtocolUDP: "udp", header.ProtocolICMP: "icmp"}[m.Protocol]
	if !ok {
		name = fmt.Sprint(m.Protocol)
	}
	fmt.Fprintf(&b, "%s %v = %v", name, m.Inside, m.Outside)
	if m.Remote.IsValid() {
		fmt.Fprintf(&b, " for %v", m.Remote)
	}
	switch {
	case m.Static:
		b.WriteString(" static")
	case m.Open:
		b.WriteString(" open")
	}
	for _, s := range m.Sessions {
		if s.Remote.IsValid() {
			fmt.Fprintf(&b, " %v", s.Remote)
		}
		if s.Established {
			b.WriteString(" established")
		}
	}
	return b.String()
}
