package ipoptions

import "example.com/berth/internal/header"

// MaxLen is how many bytes of options a header has room for.
const MaxLen = header.IPv4MaxLen - header.IPv4MinLen

// Where the fields of an option are, from its first byte on. A pointer counts
// from 1, so that one of 4 points behind the three bytes that all routes have.
const (
	atLength, atPointer, atFlags = 1, 2, 3

	routeHead = 3 // bytes of a route before its addresses
	stampHead = 4 // of timestamps, which have a byte of flags, too
	addrLen   = 4
)

// The kinds of timestamp options, and the count of those who found no room.
const (
	stampsOnly   = 0
	stampsAddrs  = 1 // each with the address of who writes it
	stampsPreset = 3 // by those whose addresses the sender gave
	stampKind    = 0x0f
	overflowOne  = 0x10
	overflowFull = 0xf0
)

// A layout is where in some options those stand that a host acts upon: 1 + the
// offset, and 0 if there is none.
type layout struct {
	route, record, stamp uint8
	strict               bool // route is SSRR
	alert                bool // router alert
}

// scan walks options and finds those that matter. If they are malformed it
// reports false, and where: the offset of what is wrong in them. Behind the end
// of the list it writes zeros (RFC 791 section 3.1).
//
// A source route that is to be sent must not be travelled yet.
func (l *layout) scan(b []byte, sends bool) (bad int, ok bool) {
	*l = layout{}
	for at := 0; at < len(b); {
		switch b[at] {
		case header.IPv4OptionEnd:
			clear(b[at:])
			return 0, true
		case header.IPv4OptionNop:
			at++
			continue
		}
		if len(b)-at < 2 || b[at+atLength] < 2 || int(b[at+atLength]) > len(b)-at {
			return at, false
		}
		o := b[at : at+int(b[at+atLength])]
		if wrong, ok := l.option(o, at, sends); !ok {
			return at + wrong, false
		}
		at += len(o)
	}
	return 0, true
}

// option checks one option, whose length is within bounds.
func (l *layout) option(o []byte, at int, sends bool) (wrong int, ok bool) {
	place := uint8(at + 1)
	switch o[0] {
	case header.IPv4OptionLSRR, header.IPv4OptionSSRR:
		if wrong, ok = checkList(o, routeHead, l.route != 0); !ok {
			return wrong, false
		}
		if sends && (o[atPointer] != routeHead+1 || len(o) < routeHead+addrLen || (len(o)-routeHead)%addrLen != 0) {
			return atLength, false
		}
		l.route, l.strict = place, o[0] == header.IPv4OptionSSRR
	case header.IPv4OptionRecordRoute:
		if wrong, ok = checkList(o, routeHead, l.record != 0); !ok {
			return wrong, false
		}
		if !full(o) && !room(o, addrLen) {
			return atPointer, false
		}
		l.record = place
	case header.IPv4OptionTimestamp:
		if wrong, ok = checkList(o, stampHead, l.stamp != 0); !ok {
			return wrong, false
		}
		if wrong, ok = checkStamps(o); !ok {
			return wrong, false
		}
		l.stamp = place
	case header.IPv4OptionRouterAlert:
		if len(o) < 4 {
			return atLength, false
		}
		l.alert = l.alert || o[2] == 0 && o[3] == 0
	}
	return 0, true
}

// checkList checks what the options that have a list have in common: there is
// one of them only (for source routes HOST-36), and its pointer points into the
// list or behind it.
func checkList(o []byte, head int, again bool) (wrong int, ok bool) {
	switch {
	case again:
		return 0, false
	case len(o) < head:
		return atLength, false
	case int(o[atPointer]) < head+1:
		return atPointer, false
	}
	return 0, true
}

// full tells whether nothing more goes into the list of an option.
func full(o []byte) bool { return int(o[atPointer]) > len(o) }

// room tells whether n bytes more go into it.
func room(o []byte, n int) bool { return int(o[atPointer])-1+n <= len(o) }

// checkStamps checks what only timestamp options have.
func checkStamps(o []byte) (wrong int, ok bool) {
	kind := o[atFlags] & stampKind
	if full(o) {
		if kind != stampsPreset && o[atFlags]&overflowFull == overflowFull {
			return atFlags, false // nor can it be counted
		}
		return 0, true
	}
	need := addrLen
	if kind == stampsAddrs || kind == stampsPreset {
		need = 2 * addrLen
	}
	if !room(o, need) {
		return atPointer, false
	}
	return 0, true
}
