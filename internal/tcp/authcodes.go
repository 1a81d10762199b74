package tcp

import (
	"net/netip"
	"unsafe"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// codes is an [Auth]: what computes the codes of one connection with the keys of a
// ring.
type codes struct {
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
	seg     Segment
}

func (a *codes) scratch() *Segment { return &a.seg }

func (a *codes) kind() uint8 {
	switch {
	case a.ring.current != nil:
		return header.TCPAuthAO
	case a.md5 != nil:
		return header.TCPAuthMD5
	}
	return header.TCPAuthNone
}

func (a *codes) option() header.TCPAuth {
	switch a.kind() {
	case header.TCPAuthAO:
		k := a.ring.current
		return header.TCPAuth{Kind: header.TCPAuthAO, KeyID: k.SendID, RNextKeyID: a.ring.rnext.RecvID, Len: uint8(k.MACLen)}
	case header.TCPAuthMD5:
		return header.TCPAuth{Kind: header.TCPAuthMD5, Len: header.TCPMD5Len}
	}
	return header.TCPAuth{}
}

func (a *codes) longest() header.TCPAuth {
	o := a.option()
	if o.Kind == header.TCPAuthAO {
		for _, k := range a.ring.ao {
			o.Len = max(o.Len, uint8(k.MACLen))
		}
	}
	return o
}

func (a *codes) admits(c *Counters) bool {
	seg := &a.seg
	got, want := seg.Options.Auth.Kind, a.kind()
	switch {
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

// admitsMD5 verifies a signature.
func (a *codes) admitsMD5(c *Counters, seg *Segment) bool {
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
func (a *codes) sumMD5(from, to netip.AddrPort, head, payload []byte) []byte {
	prefix := appendPseudo(a.prefix[:0], from.Addr(), to.Addr(), len(head)+len(payload))
	return a.sum(a.md5, prefix, head[:header.TCPMinLen], nil, payload)
}

// sum computes a code over pieces. It is good until the next one.
func (a *codes) sum(mac socket.TCPMAC, pieces ...[]byte) []byte {
	n := copy(a.message[:], pieces)
	a.code = mac.Sum(a.code[:0], a.message[:n])
	clear(a.message[:])
	return a.code
}

// copyHead returns the header of a segment as it was when its code was computed:
// with zeros for the code and for the checksum. It is nil if the segment has none.
func (a *codes) copyHead(seg *Segment) []byte {
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
func (a *codes) verify(seg *Segment, o header.TCPAuth, code []byte) bool {
	got := seg.Header[o.At : o.At+o.Len]
	differ := byte(0)
	for i, b := range got {
		differ |= b ^ code[i]
	}
	return differ == 0
}

func (a *codes) sign(head []byte) {
	seg := &a.seg
	switch o := seg.Options.Auth; o.Kind {
	case header.TCPAuthMD5:
		copy(head[header.TCPAuthAt:], a.sumMD5(a.local, a.remote, head, seg.Payload))
	case header.TCPAuthAO:
		code := a.sumAO(a.ring.sending(o.KeyID), seg, head)
		copy(head[header.TCPAuthAt:], code[:o.Len])
	}
}

func (a *codes) ignoresICMP(c *Counters) bool {
	if a.kind() != header.TCPAuthAO || a.ring.acceptICMP {
		return false
	}
	a.ring.droppedICMP++
	c.AODroppedICMP.Add(1)
	return true
}

func (a *codes) rekey() {
	a.md5 = nil
	if k := a.ring.md5For(a.remote.Addr()); k != nil {
		a.md5 = k.sig.Algorithm.New(k.sig.Key)
	}
}

func (a *codes) holder() keyholder { return a.ring }

func (a *codes) memory() int { return int(unsafe.Sizeof(*a)) + cap(a.code) }
