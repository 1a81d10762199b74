package ipoptions

import (
	"net/netip"

	"example.com/berth/internal/header"
)

// Received are the options of a packet that came.
type Received struct {
	_ [0]func() // nobody compares two

	b [MaxLen]byte
	n uint8
	layout
	src netip.Addr // where the packet came from
}

// Parse checks the options of a packet from src and takes a copy. If they are
// malformed it reports false, and where in the header: what an ICMP parameter
// problem points at.
func (r *Received) Parse(b []byte, src netip.Addr) (pointer int, ok bool) {
	*r = Received{src: src}
	r.n = uint8(copy(r.b[:], b))
	bad, ok := r.scan(r.b[:r.n], false)
	return header.IPv4MinLen + bad, ok
}

// Bytes returns the options in their encoding, which is the receiver's memory.
func (r *Received) Bytes() []byte { return r.b[:r.n] }

// RouterAlert tells whether routers on the way are to look at the packet.
func (r *Received) RouterAlert() bool { return r.alert }

// Strict tells whether the packet has a source route that names all its hops.
func (r *Received) Strict() bool { return r.strict }

// HasRoute tells whether the packet has a source route, travelled or not.
func (r *Received) HasRoute() bool { return r.route != 0 }

// Remembers tells whether the packet has an option that those on the way write to.
func (r *Received) Remembers() bool { return r.record != 0 || r.stamp != 0 }

// NextHop is where the source route leads from here, past what is this host
// itself. It is false if it ends here; next is then the last address of the host
// that it names, or the zero Addr if it was at its end before.
// A route that breaks off in the middle of an address is malformed: pointer is
// then what an ICMP parameter problem points at, and 0 otherwise.
func (r *Received) NextHop(ours func(netip.Addr) bool) (next netip.Addr, on bool, pointer int) {
	if r.route == 0 {
		return next, false, 0
	}
	o := at(r.b[:], r.route)
	for p := int(o[atPointer]) - 1; p < len(o); p += addrLen {
		if p+addrLen > len(o) {
			return next, false, header.IPv4MinLen + int(r.route) - 1 + atPointer
		}
		if next = netip.AddrFrom4([addrLen]byte(o[p:])); !ours(next) {
			return next, true, 0
		}
	}
	return next, false, 0
}

// Final is the last address of a source route that is not at its end: where the
// packet was to arrive.
func (r *Received) Final() (a netip.Addr, ok bool) {
	if r.route == 0 {
		return a, false
	}
	o := at(r.b[:], r.route)
	if full(o) || !room(o, addrLen) || (len(o)-routeHead)%addrLen != 0 {
		return a, false
	}
	return netip.AddrFrom4([addrLen]byte(o[len(o)-addrLen:])), true
}

// Follow is called when the packet leaves for next by the interface with the
// address out: that takes next's place in the source route (RFC 791 section 3.1),
// and what was this host itself before it stays where it is.
func (r *Received) Follow(next, out netip.Addr) {
	o := at(r.b[:], r.route)
	a, to := out.As4(), next.As4()
	for p := int(o[atPointer]) - 1; p+addrLen <= len(o); p += addrLen {
		if [addrLen]byte(o[p:]) == to {
			copy(o[p:], a[:])
			o[atPointer] = uint8(p + addrLen + 1)
			return
		}
	}
}

// Write records an address of this host, and the time in milliseconds since
// midnight of universal time, where the options ask for that (RFC 1122 section
// 3.2.1.8 d and e). It reports whether anything was written.
func (r *Received) Write(addr netip.Addr, clock uint32, ours func(netip.Addr) bool) bool {
	return r.layout.write(r.b[:r.n], addr, clock, ours)
}

// Return is what an answer is to have as options, in the form in which a program
// gives them: what was recorded so far, so that the way back is recorded behind
// it (RFC 1122 section 3.2.2.6), and the source route in reverse.
func (r *Received) Return() string {
	b := make([]byte, 0, MaxLen)
	for _, place := range [...]uint8{r.record, r.stamp} {
		if place != 0 {
			b = append(b, at(r.b[:], place)...)
		}
	}
	return padded(r.appendReverse(b))
}

// ReturnRoute is Return for the source route alone.
func (r *Received) ReturnRoute() string { return padded(r.appendReverse(nil)) }

func padded(b []byte) string {
	return string(append(b, make([]byte, -len(b)&3)...))
}

// appendReverse appends the way back: the hops that the packet has made, the last
// one first. If the first of them is the packet's source itself, as RFC 1122
// section 3.2.1.8 c warns of, it is left out.
func (r *Received) appendReverse(b []byte) []byte {
	if r.route == 0 {
		return b
	}
	o := at(r.b[:], r.route)
	hops := (min(int(o[atPointer])-1, len(o)) - routeHead) / addrLen
	list := o[routeHead:]
	first := 0
	if src := r.src.As4(); hops > 0 && [addrLen]byte(list) == src {
		first = 1
	}
	if hops == first {
		return b
	}
	b = append(b, o[0], uint8(routeHead+(hops-first)*addrLen), routeHead+1)
	for i := hops - 1; i >= first; i-- {
		b = append(b, list[i*addrLen:][:addrLen]...)
	}
	return b
}
