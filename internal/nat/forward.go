package nat

import (
	"net/netip"
	"syscall"
)

// Forward configures a mapping that does not end and lets everybody in: what
// comes to a port outside goes to an endpoint inside, whose own packets leave
// from that port, too. It is on the outside address that belongs to the inside
// one, and may be outside Config.Ports; port 0 stands for one of them, chosen as
// for any mapping. The mappings that the endpoint had end.
//
// Errors: EINVAL if the endpoint is not IPv4 or has no port, EPROTONOSUPPORT if
// the protocol (an IP number) is neither TCP nor UDP, EADDRINUSE if the port is
// mapped to another endpoint or the endpoint has been forwarded already, ENOBUFS
// if there is no port, or Limits.Mappings of connections.
func (t *Table) Forward(protocol uint8, port uint16, inside netip.AddrPort) (outside netip.AddrPort, err error) {
	a := inside.Addr().Unmap()
	switch {
	case !hasPorts(protocol):
		return outside, syscall.EPROTONOSUPPORT
	case !a.Is4() || !translatable(word(a)) || inside.Port() == 0:
		return outside, syscall.EINVAL
	}
	in := join(protocol, word(a), inside.Port())
	out := join(protocol, t.paired(word(a)), port)
	if m := t.byOutside[out]; m != nil && m.inside != in {
		return outside, syscall.EADDRINUSE
	}
	if m := t.byInside[pair{in, 0}]; m != nil && m.static {
		return outside, syscall.EADDRINUSE
	}
	for _, m := range t.byOutside {
		if m.inside == in {
			t.remove(m)
		}
	}
	if len(t.byOutside) >= t.cfg.Limits.Mappings && !t.evict() {
		return outside, syscall.ENOBUFS
	}
	if port == 0 {
		var ok bool
		if out, ok = t.choose(in); !ok {
			return outside, syscall.ENOBUFS
		}
	}
	m := &mapping{inside: in, outside: out, static: true}
	t.insert(m)
	return out.addrPort(), nil
}

// Unforward ends a mapping that Forward made, by its outside endpoint. It gives
// false if there is none.
func (t *Table) Unforward(protocol uint8, outside netip.AddrPort) bool {
	if !outside.Addr().Is4() {
		return false
	}
	m := t.byOutside[join(protocol, word(outside.Addr()), outside.Port())]
	if m == nil || !m.static {
		return false
	}
	t.remove(m)
	return true
}
