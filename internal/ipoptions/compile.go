package ipoptions

import (
	"encoding/binary"
	"net/netip"
	"syscall"
)

// Options are options that packets are to have: checked, and the source route
// among them in the form in which it leaves. They are never changed, so that
// packets, sockets and connections share them. Of nil all methods are good: it
// is no options.
type Options struct {
	_ [0]func() // nobody compares two

	text  string // as the program gave them, filled up to whole words
	wire  string // as they leave, but for what is recorded
	first netip.Addr
	layout
	// Returned says that they are the reverse of what came, and not of the
	// program's choice.
	Returned bool
}

// Compile checks options that a program wants sent, and readies them. Options that
// the host does not know are sent as they are. No options are nil. The error is
// EINVAL.
func Compile(text string) (*Options, error) {
	if len(text) > MaxLen {
		return nil, syscall.EINVAL
	}
	if text == "" {
		return nil, nil
	}
	b := append([]byte(text), make([]byte, -len(text)&3)...)
	o := new(Options)
	if _, ok := o.scan(b, true); !ok {
		return nil, syscall.EINVAL
	}
	o.text = string(b)
	if o.route != 0 {
		// The first hop is the destination of the packet, and the others move up:
		// the last place is for where it shall arrive (RFC 791 section 3.1).
		r := at(b, o.route)
		o.first = netip.AddrFrom4([addrLen]byte(r[routeHead:]))
		copy(r[routeHead:], r[routeHead+addrLen:])
	}
	o.wire = string(b)
	return o, nil
}

// at returns the option at a place of a layout.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func at(b []byte, place uint8) []byte {
	o := b[place-1:]
	return o[:o[atLength]]
}

// String returns the options as the program gave them.
func (o *Options) String() string {
	if o == nil {
		return ""
	}
	return o.text
}

// Len is how many bytes of each header they take.
func (o *Options) Len() int {
	if o == nil {
		return 0
	}
	return len(o.wire)
}

// FirstHop is the address that packets to dst have in the header: the first of a
// source route, or dst itself.
func (o *Options) FirstHop(dst netip.Addr) netip.Addr {
	if o.HasRoute() && dst.Is4() {
		return o.first
	}
	return dst
}

// HasRoute tells whether there is a source route.
func (o *Options) HasRoute() bool { return o != nil && o.route != 0 }

// Strict tells whether there is one whose first hop must be a neighbor.
func (o *Options) Strict() bool { return o.HasRoute() && o.strict }

// Append appends the options of a packet from src to dst to b: with dst at the
// end of the source route, and with src and the time recorded (RFC 1122 section
// 3.2.1.8 d and e). Clock is the milliseconds since midnight of universal time.
func (o *Options) Append(b []byte, dst, src netip.Addr, clock uint32) []byte {
	if o == nil {
		return b
	}
	from := len(b)
	b = append(b, o.wire...)
	own := b[from:]
	if o.route != 0 {
		r := at(own, o.route)
		to := dst.As4()
		copy(r[len(r)-addrLen:], to[:])
	}
	o.write(own, src, clock, func(a netip.Addr) bool { return a == src })
	return b
}

// write records an address and a time in encoded options where they ask for it
// and there is room, and counts where there is none. Ours tells which addresses
// are the host's. It reports whether anything was written.
func (l *layout) write(b []byte, addr netip.Addr, clock uint32, ours func(netip.Addr) bool) (changed bool) {
	a := addr.As4()
	if l.record != 0 {
		if r := at(b, l.record); room(r, addrLen) {
			put(r, a[:])
			changed = true
		}
	}
	if l.stamp == 0 {
		return changed
	}
	t := at(b, l.stamp)
	kind := t[atFlags] & stampKind
	var now [addrLen]byte
	binary.BigEndian.PutUint32(now[:], clock)
	switch {
	case full(t) && kind != stampsPreset && t[atFlags]&overflowFull != overflowFull:
		t[atFlags] += overflowOne
	case kind == stampsOnly && room(t, addrLen):
		put(t, now[:])
	case kind == stampsAddrs && room(t, 2*addrLen):
		put(t, a[:])
		put(t, now[:])
	case kind == stampsPreset && room(t, 2*addrLen) && ours(netip.AddrFrom4([addrLen]byte(t[t[atPointer]-1:]))):
		t[atPointer] += addrLen
		put(t, now[:])
	default: // another's to write, or nothing that is known
		return changed
	}
	return true
}

// put writes a field where the pointer of an option points, and moves that on.
func put(o, field []byte) {
	copy(o[o[atPointer]-1:], field)
	o[atPointer] += addrLen
}
