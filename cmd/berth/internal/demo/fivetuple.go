package demo

import (
	"fmt"
	"net/netip"

	"example.com/berth/socket"
)

// detail is the socket's five-tuple, and on a stream its state.
func (a *actor) detail() string {
	if l := a.s.LocalAddr(); l.IsValid() {
		a.local = l
	}
	if p, err := a.s.PeerAddr(); err == nil {
		a.peer = p
	}
	if a.typ == socket.STREAM {
		return a.tuple() + "  " + a.state().String()
	}
	return a.tuple()
}

func (a *actor) tuple() string {
	if a.typ == socket.RAW {
		return fmt.Sprintf("%s %s → %s", a.protocolName(), host(a.local), host(a.peer))
	}
	return fmt.Sprintf("%s %s → %s", a.protocolName(), end(a.local), end(a.peer))
}

func (a *actor) protocolName() string {
	switch {
	case a.typ == socket.STREAM:
		return "tcp"
	case a.protocol == socket.IPPROTO_ICMP:
		return "icmp"
	case a.protocol == socket.IPPROTO_ICMPV6:
		return "icmp6"
	}
	return "udp"
}

// state is that of the connection: asked of the socket, and after its Close, or
// in TIME-WAIT, of the host, where the connection lives on.
func (a *actor) state() socket.TCPState {
	if info, err := socket.Get(a.s, socket.TCP_INFO); err == nil && info.State != socket.TCP_CLOSE {
		return info.State
	}
	for _, row := range a.host.Sockets() {
		if row.Type == socket.STREAM && row.Local == a.local && row.Remote == a.peer {
			return row.State
		}
	}
	return socket.TCP_CLOSE
}

// end is an address with its port, * for what is not chosen yet.
func end(a netip.AddrPort) string {
	switch {
	case a.Port() == 0:
		return host(a) + ":*"
	case !a.Addr().IsValid() || a.Addr().IsUnspecified():
		return fmt.Sprintf("*:%d", a.Port())
	}
	return a.String()
}

func host(a netip.AddrPort) string {
	if !a.Addr().IsValid() || a.Addr().IsUnspecified() {
		return "*"
	}
	return a.Addr().String()
}
