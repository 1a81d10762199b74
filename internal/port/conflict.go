package port

import "net/netip"

// A class is all of a binding that matters to others who want its port.
type class struct {
	addr      netip.Addr // without a zone
	v6Only    bool
	device    int32
	reuseAddr bool
	reusePort bool
	uid       int32
	state     State
	chosen    bool
}

func (b *Binding) classNow(state State) class {
	return class{
		addr:      b.Addr.WithZone(""),
		v6Only:    b.V6Only || b.bound6,
		device:    b.Device,
		reuseAddr: b.ReuseAddr,
		reusePort: b.ReusePort,
		uid:       b.UID,
		state:     state,
		chosen:    b.chosen,
	}
}

// A verdict on one owner of a port whom a newcomer would have beside it.
type verdict uint8

const (
	apart    verdict = iota // they do not meet
	shares                  // they agree to share
	conflict                // they do not
)

// rules are how a protocol judges newcomer and owner.
type rules func(newcomer, owner *class) verdict

// judgeTCP is inet_bind_conflict of Linux, for a port that was asked for.
func judgeTCP(newcomer, owner *class) verdict {
	switch {
	case !contend(newcomer, owner):
		return apart
	case newcomer.reuseAddr && owner.reuseAddr && owner.state != Listening:
		return apart
	case newcomer.reusePort && owner.reusePort && (owner.state == TimeWait || newcomer.uid == owner.uid):
		return apart
	}
	return conflict
}

// judgeStrict is the same for a port that the table chooses for Bind, which is
// not shared, whatever the options say.
func judgeStrict(newcomer, owner *class) verdict {
	if contend(newcomer, owner) {
		return conflict
	}
	return apart
}

// judgeUDP is udp_lib_lport_inuse of Linux.
func judgeUDP(newcomer, owner *class) verdict {
	switch {
	case newcomer.reuseAddr && owner.reuseAddr:
		return apart
	case !contend(newcomer, owner) && !(newcomer.addr == formal4 && has4(owner)):
		return apart
	case newcomer.reusePort && owner.reusePort && newcomer.uid == owner.uid:
		return shares
	}
	return conflict
}

// judgeICMP is ping_get_port of Linux: addresses and devices do not count. On
// Linux these sockets have SO_REUSEADDR from the start; that is the caller's to
// set.
func judgeICMP(newcomer, owner *class) verdict {
	if newcomer.reuseAddr && owner.reuseAddr {
		return apart
	}
	return conflict
}

// judgeAny refuses every port that has an owner.
func judgeAny(_, _ *class) verdict { return conflict }

// contend tells whether a packet could be meant for either of two sockets.
func contend(newcomer, owner *class) bool {
	if newcomer.device != 0 && owner.device != 0 && newcomer.device != owner.device {
		return false
	}
	a, b := newcomer.addr, owner.addr
	if a.Unmap() == b.Unmap() {
		return true
	}
	if a.IsUnspecified() && b.IsUnspecified() {
		// 0.0.0.0 and ::, in either order.
		return !(a.Is6() && newcomer.v6Only) && !(b.Is6() && owner.v6Only)
	}
	return covers(a, newcomer.v6Only, b) || covers(b, owner.v6Only, a) || kept4(newcomer, owner)
}

// covers tells whether any is an unspecified address that takes packets to a.
func covers(any netip.Addr, v6Only bool, a netip.Addr) bool {
	switch {
	case any.Unmap().Is4():
		return any.Unmap().IsUnspecified() && a.Unmap().Is4()
	case any.IsUnspecified():
		return !v6Only || !a.Unmap().Is4()
	}
	return false
}

// kept4 is a peculiarity of Linux: a socket that was open to both families
// (bound to :: or not at all) and then got an IPv6 peer, or was accepted from
// such a one, keeps an IPv4 address for form's sake, 127.0.0.6. It contends
// with a newcomer on 0.0.0.0, though no IPv4 packet can be meant for it.
func kept4(newcomer, owner *class) bool {
	return newcomer.addr == netip.IPv4Unspecified() && has4(owner)
}

func has4(owner *class) bool { return specific6(owner.addr) && !owner.v6Only }

var formal4 = netip.AddrFrom4([4]byte{127, 0, 0, 6})
