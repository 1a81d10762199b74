package tcp

import (
	"net/netip"
	"slices"

	"example.com/berth/internal/header"
)

// Judge tells whether a segment may be looked at that came to a listener with this
// connection's keys, and counts what may not. A SYN that may has seg.Auth for the
// connection that it begins, if there are keys for its peer.
//
// A segment without SYN belongs to no connection. With TCP-AO nobody can say who sent
// it, since the numbers are unknown that its key comes from: it is dropped.
func (c *Conn) Judge(seg *Segment, local, remote netip.AddrPort) bool {
	r := c.seldom().keys
	if r == nil {
		return admitsPlain(c.p.Counters, seg)
	}
	s := r.scratch()
	*s = *seg
	ok := r.judge(c.p.Counters, local, remote)
	seg.Auth = s.Auth
	*s = Segment{}
	return ok
}

func (r *Keyring) judge(c *Counters, local, remote netip.AddrPort) bool {
	seg := &r.seg
	if !r.required && r.md5For(remote.Addr()) == nil && !r.wantsAO(remote.Addr()) {
		return admitsPlain(c, seg)
	}
	a := r.authFor(c, seg, local, remote)
	if a == nil {
		return false
	}
	a.setIRS(seg.Seq)
	ok := admits(a, c, seg)
	r.tally(a.ring)
	return ok
}

// authFor returns who can verify a segment that came to a listener from a peer that
// needs a key, or counts why nobody can: that takes no memory, for a flood of such
// segments costs nothing to make.
func (r *Keyring) authFor(c *Counters, seg *Segment, local, remote netip.AddrPort) *codes {
	got, md5 := seg.Options.Auth, r.md5For(remote.Addr())
	switch {
	case got.Kind == header.TCPAuthInvalid:
		c.AuthMalformed.Add(1)
	case md5 != nil && got.Kind != header.TCPAuthMD5:
		c.MD5Missing.Add(1)
	case md5 != nil:
		peer := netip.PrefixFrom(remote.Addr(), remote.Addr().BitLen())
		a := newCodes(&Keyring{md5: []md5Key{{peer: peer, sig: md5.sig}}}, local, remote)
		a.md5 = md5.sig.Algorithm.New(md5.sig.Key)
		return a
	case got.Kind != header.TCPAuthAO:
		r.missing++
		c.AORequired.Add(1)
	case seg.Flags&(header.SYN|header.ACK) != header.SYN, !r.receives(remote.Addr(), got.KeyID):
		r.keyNotFound++
		c.AOKeyNotFound.Add(1)
	default:
		return r.accept(local, remote, got)
	}
	return nil
}

// receives tells whether there is a key for a peer with that RecvID.
func (r *Keyring) receives(peer netip.Addr, id uint8) bool {
	return slices.ContainsFunc(r.ao, func(k *aoKey) bool { return k.RecvID == id && k.Peer.Contains(peer) })
}

// accept returns the authentication of a connection that a SYN begins with this
// option, for whose KeyID there is a key. Segments are sent with the key that it asks
// for (RFC 5925 7.5), if there is one, and wanted with that which it has.
func (r *Keyring) accept(local, remote netip.AddrPort, o header.TCPAuth) *codes {
	own := &Keyring{ao: r.keysFor(remote.Addr()), required: r.required, acceptICMP: r.acceptICMP, informed: r.informed}
	own.rnext = own.receiving(o.KeyID)
	if own.current = own.sending(o.RNextKeyID); own.current == nil {
		own.current = own.rnext
	}
	return newCodes(own, local, remote)
}

// tally counts at a listener what happened to the first segment of a connection.
func (r *Keyring) tally(own *Keyring) {
	r.good += own.good
	r.bad += own.bad
	r.missing += own.missing
	for _, k := range own.ao {
		if mine := r.find(k); mine != nil {
			mine.Good += k.Good
			mine.Bad += k.Bad
		}
	}
}

// find returns the key of which k is a copy.
func (r *Keyring) find(k *aoKey) *aoKey {
	for _, mine := range r.ao {
		if mine.Peer == k.Peer && mine.SendID == k.SendID && mine.RecvID == k.RecvID {
			return mine
		}
	}
	return nil
}
