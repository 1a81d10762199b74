package tcp

import (
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// Auth authenticates the segments of one connection, by signatures with MD5
// (RFC 2385) or by TCP-AO (RFC 5925). What arrives without a good code is dropped
// before anything else looks at it; what leaves is signed by the shell, with Sign,
// once its header is written.
//
// Its methods are called under the connection's lock, as those of Conn.
type Auth struct {
	ring          *Keyring
	local, remote netip.AddrPort
	md5           socket.TCPMAC // of the key for the peer, nil for none

	iss, irs   seqnum.Value
	hasIRS     bool
	sent, rcvd uint64 // see extend

	// What a code is computed over, and into: no segment needs memory of its own.
	prefix  [prefixMax]byte
	head    [header.TCPMaxLen]byte
	message [4][]byte
	code    []byte
}

// kind is header.TCPAuthMD5 or header.TCPAuthAO, or TCPAuthNone where the
// connection has no keys any more.
func (a *Auth) kind() uint8 {
	switch {
	case a == nil:
		return header.TCPAuthNone
	case a.ring.current != nil:
		return header.TCPAuthAO
	case a.md5 != nil:
		return header.TCPAuthMD5
	}
	return header.TCPAuthNone
}

// option is what a segment that is sent now has.
func (a *Auth) option() header.TCPAuth {
	switch a.kind() {
	case header.TCPAuthAO:
		k := a.ring.current
		return header.TCPAuth{Kind: header.TCPAuthAO, KeyID: k.SendID, RNextKeyID: a.ring.rnext.RecvID, Len: uint8(k.MACLen)}
	case header.TCPAuthMD5:
		return header.TCPAuth{Kind: header.TCPAuthMD5, Len: header.TCPMD5Len}
	}
	return header.TCPAuth{}
}

// longest is the longest option that may be called for without notice: the peer
// asks for another key when it likes.
func (a *Auth) longest() header.TCPAuth {
	o := a.option()
	if o.Kind == header.TCPAuthAO {
		for _, k := range a.ring.ao {
			o.Len = max(o.Len, uint8(k.MACLen))
		}
	}
	return o
}

// mark prepares a segment that is to be sent: it names who signs it, and has the
// option in which the code will stand.
func (a *Auth) mark(out *Segment) {
	if a != nil {
		out.Auth, out.Options.Auth = a, a.option()
	}
}

// decline takes out of the options of a SYN what the code leaves no room for: with
// an MD5 signature there is none for timestamps beside SACK blocks (as Linux).
func (a *Auth) decline(o *header.TCPOptions) {
	if a.kind() == header.TCPAuthMD5 {
		o.HasTS = o.HasTS && !o.SACKPermitted
	}
}

// admits tells whether a segment that arrived may be looked at, and counts what is
// not. Without keys, that is one without a code (as Linux). A is nil on a connection
// that never had any.
func (a *Auth) admits(c *Counters, seg *Segment) bool {
	got, want := seg.Options.Auth.Kind, a.kind()
	switch {
	case a != nil && seg.Auth == a:
		return true // it was looked at before
	case got == header.TCPAuthInvalid:
		c.AuthMalformed.Add(1)
	case want == header.TCPAuthAO:
		return a.admitsAO(c, seg)
	case want == header.TCPAuthMD5:
		return a.admitsMD5(c, seg)
	default:
		return admitsPlain(c, seg)
	}
	return false
}

// admitsPlain is admits where there are no keys.
func admitsPlain(c *Counters, seg *Segment) bool {
	switch seg.Options.Auth.Kind {
	case header.TCPAuthNone:
		return true
	case header.TCPAuthMD5:
		c.MD5Unexpected.Add(1)
	case header.TCPAuthAO:
		c.AOKeyNotFound.Add(1)
	default:
		c.AuthMalformed.Add(1)
	}
	return false
}

// admitsMD5 verifies a signature.
func (a *Auth) admitsMD5(c *Counters, seg *Segment) bool {
	o := seg.Options.Auth
	if o.Kind != header.TCPAuthMD5 {
		c.MD5Missing.Add(1)
		return false
	}
	if h := a.copyHead(seg); h == nil || !a.verify(seg, o, a.sumMD5(a.remote, a.local, h, seg.Payload)) {
		c.MD5Bad.Add(1)
		return false
	}
	seg.Auth = a
	return true
}

// sumMD5 computes a signature (RFC 2385 2.0): of the pseudo-header, the header
// without options and without checksum, and the data.
func (a *Auth) sumMD5(from, to netip.AddrPort, head, payload []byte) []byte {
	prefix := appendPseudo(a.prefix[:0], from.Addr(), to.Addr(), len(head)+len(payload))
	return a.sum(a.md5, prefix, head[:header.TCPMinLen], nil, payload)
}

// sum computes a code over pieces. It is good until the next one.
func (a *Auth) sum(mac socket.TCPMAC, pieces ...[]byte) []byte {
	n := copy(a.message[:], pieces)
	a.code = mac.Sum(a.code[:0], a.message[:n])
	clear(a.message[:])
	return a.code
}

// copyHead returns the header of a segment as it was when its code was computed:
// with zeros for the code and for the checksum. It is nil if the segment has none.
func (a *Auth) copyHead(seg *Segment) []byte {
	o := seg.Options.Auth
	h := a.head[:copy(a.head[:], seg.Header)]
	end := int(o.At) + int(o.Len)
	if len(h) < header.TCPMinLen || end > len(h) {
		return nil
	}
	clear(h[checksumAt : checksumAt+2])
	clear(h[o.At:end])
	return h
}

// checksumAt is where the checksum is in a TCP header.
const checksumAt = 16

// verify compares the code in a segment with what it should be, in a time that does
// not tell how much of it is right.
func (a *Auth) verify(seg *Segment, o header.TCPAuth, code []byte) bool {
	got := seg.Header[o.At : o.At+o.Len]
	differ := byte(0)
	for i, b := range got {
		differ |= b ^ code[i]
	}
	return differ == 0
}

// Sign writes the code into the header of a segment that [Conn.Next], or a Request,
// has given out. The header is as header.TCP's Append makes it, with a checksum of
// zero.
func (a *Auth) Sign(seg *Segment, head []byte) {
	switch o := seg.Options.Auth; o.Kind {
	case header.TCPAuthMD5:
		copy(head[header.TCPAuthAt:], a.sumMD5(a.local, a.remote, head, seg.Payload))
	case header.TCPAuthAO:
		code := a.sumAO(a.ring.sending(o.KeyID), seg, head)
		copy(head[header.TCPAuthAt:], code[:o.Len])
	}
}
