package tcp

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// trafficKey is the key for one direction of a connection (RFC 5925 5.2), derived
// from a master key and both ends' initial sequence numbers.
type trafficKey struct {
	mac      socket.TCPMAC // nil: not derived yet
	src, dst seqnum.Value
}

// trafficMAC returns the function for segments from one end to the other whose
// initial sequence numbers are these. It is kept in t; that of a SYN, which is
// needed once, and by which anybody could drive out the one that is kept, is not.
func (a *codes) trafficMAC(k *aoKey, t *trafficKey, from, to netip.AddrPort, src, dst seqnum.Value, keep bool) socket.TCPMAC {
	if t.mac != nil && t.src == src && t.dst == dst {
		return t.mac
	}
	mac := k.Algorithm.New(a.deriveKey(k, from, to, src, dst))
	if keep {
		*t = trafficKey{mac: mac, src: src, dst: dst}
	}
	return mac
}

// deriveKey is the key derivation function of RFC 5926 3.1.1, whose output is as
// long as one code of the pseudorandom function, so that one round does it.
func (a *codes) deriveKey(k *aoKey, from, to netip.AddrPort, src, dst seqnum.Value) []byte {
	b := make([]byte, 0, 64)
	b = append(b, 1) // the round
	b = append(b, "TCP-AO"...)
	b = appendAddr(b, from.Addr())
	b = appendAddr(b, to.Addr())
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint32(b, uint32(src))
	b = binary.BigEndian.AppendUint32(b, uint32(dst))
	b = binary.BigEndian.AppendUint16(b, uint16(8*k.Algorithm.Size()))
	return k.master.Sum(nil, [][]byte{b})
}

// admitsAO verifies a code of TCP-AO, and follows the peer's wish for another key
// (RFC 5925 7.5).
func (a *codes) admitsAO(c *Counters, seg *Segment) bool {
	r, o := a.ring, seg.Options.Auth
	if o.Kind != header.TCPAuthAO {
		r.missing++
		c.AORequired.Add(1)
		return false
	}
	k := r.receiving(o.KeyID)
	if k == nil {
		r.keyNotFound++
		c.AOKeyNotFound.Add(1)
		return false
	}
	if !a.verifyAO(k, seg) {
		r.bad++
		k.Bad++
		c.AOBad.Add(1)
		return false
	}
	r.good++
	k.Good++
	c.AOGood.Add(1)
	seg.Auth = a
	if seg.Flags&(header.SYN|header.ACK) != header.SYN && o.RNextKeyID != r.current.SendID {
		if next := r.sending(o.RNextKeyID); next != nil {
			r.current = next
		}
	}
	return true
}

// verifyAO verifies a code with a key.
func (a *codes) verifyAO(k *aoKey, seg *Segment) bool {
	o := seg.Options.Auth
	head := a.copyHead(seg)
	if head == nil || int(o.Len) != k.MACLen {
		return false
	}
	// A SYN is from before our number was known, and has its own in any case.
	src, dst, seq := a.irs, a.iss, uint64(0)
	switch seg.Flags & (header.SYN | header.ACK) {
	case header.SYN:
		src, dst = seg.Seq, 0
	case header.SYN | header.ACK:
		src = seg.Seq
	default:
		seq = extend(a.rcvd, seg.Seq)
	}
	mac := a.trafficMAC(k, &k.recv, a.remote, a.local, src, dst, a.hasIRS && src == a.irs && dst == a.iss)
	code := a.sumMessage(mac, k, uint32(seq>>32), a.remote, a.local, head, int(o.At), seg.Payload)
	if !a.verify(seg, o, code) {
		return false
	}
	if int64(seq-a.rcvd) > 0 {
		a.rcvd = seq
	}
	return true
}

// sumAO computes the code of a segment that is sent with a key.
func (a *codes) sumAO(k *aoKey, seg *Segment, head []byte) []byte {
	dst, seq, syn := a.irs, uint64(0), seg.Flags&(header.SYN|header.ACK) == header.SYN
	if syn {
		dst = 0
	} else if seq = extend(a.sent, seg.Seq); int64(seq-a.sent) > 0 {
		a.sent = seq
	}
	mac := a.trafficMAC(k, &k.send, a.local, a.remote, a.iss, dst, !syn)
	return a.sumMessage(mac, k, uint32(seq>>32), a.local, a.remote, head, header.TCPAuthAt, seg.Payload)
}

// prefixMax is the length of what comes before the header in a message: the
// extension of the sequence number, and the pseudo-header of IPv6.
const prefixMax = 4 + 40

// sumMessage computes a code over what RFC 5925 5.1 has authenticated. Head is the
// TCP header, with zeros for checksum and code; the code is at at.
func (a *codes) sumMessage(mac socket.TCPMAC, k *aoKey, sne uint32, from, to netip.AddrPort, head []byte, at int, payload []byte) []byte {
	prefix := binary.BigEndian.AppendUint32(a.prefix[:0], sne)
	prefix = appendPseudo(prefix, from.Addr(), to.Addr(), len(head)+len(payload))
	if k.ExcludeOptions {
		return a.sum(mac, prefix, head[:header.TCPMinLen], head[at-4:at+k.MACLen], payload)
	}
	return a.sum(mac, prefix, head, nil, payload)
}

// extend gives a sequence number 64 bits: the value closest to near that ends in
// it. The upper half is the Sequence Number Extension of RFC 5925 6.2. Near is the
// greatest so far, in the beginning the initial sequence number.
func extend(near uint64, seq seqnum.Value) uint64 {
	return near + uint64(int64(seq.Sub(seqnum.Value(near))))
}

func (a *codes) setISS(v seqnum.Value) { a.iss, a.sent = v, uint64(v) }

func (a *codes) setIRS(v seqnum.Value) { a.irs, a.rcvd, a.hasIRS = v, uint64(v), true }

// appendPseudo appends the pseudo-header (RFC 9293 3.1, RFC 8200 8.1).
func appendPseudo(b []byte, src, dst netip.Addr, length int) []byte {
	b = appendAddr(b, src)
	b = appendAddr(b, dst)
	if src.Is4() {
		b = append(b, 0, header.ProtocolTCP)
		return binary.BigEndian.AppendUint16(b, uint16(length))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	return append(b, 0, 0, 0, header.ProtocolTCP)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		x := a.As4()
		return append(b, x[:]...)
	}
	x := a.As16()
	return append(b, x[:]...)
}
