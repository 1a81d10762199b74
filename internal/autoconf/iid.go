package autoconf

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/siphash"
)

var linkLocalPrefix = netip.MustParsePrefix("fe80::/64")

// form gives a an address of a prefix of 64 bits. If the identifier is reserved
// or the interface has the address, the next one is taken, which counts as an
// attempt (RFC 7217 section 5, RFC 8981 section 3.3). It tells whether there was
// one to be had.
func (i *Interface) form(a *address, prefix netip.Prefix) bool {
	for ; a.attempts <= idgenRetries; a.attempts++ {
		var iid uint64
		switch {
		case a.Origin == Temporary:
			iid = i.cfg.Rand()
		case i.cfg.EUI64:
			iid = eui64(i.cfg.MAC)
		default:
			iid = i.opaque(prefix, a.attempts)
		}
		addr := withIID(prefix, iid)
		if !reserved(iid) && i.lookup(addr) == nil {
			a.Prefix = netip.PrefixFrom(addr, prefix.Bits())
			return true
		}
	}
	return false
}

// opaque is RFC 7217's F, with SipHash for the pseudorandom function: it gives as
// many bits as are wanted, and shows nothing of its key. The names are preceded
// by their lengths, so that no two inputs are alike.
func (i *Interface) opaque(prefix netip.Prefix, attempts uint8) uint64 {
	net := prefix.Addr().As16()
	in := append([]byte(nil), net[:8]...)
	for _, s := range []string{i.cfg.Name, i.cfg.NetworkID} {
		in = binary.BigEndian.AppendUint32(in, uint32(len(s)))
		in = append(in, s...)
	}
	return siphash.Sum64(i.cfg.Key, append(in, attempts))
}

// eui64 is the modified EUI-64 identifier of an Ethernet address (RFC 4291
// appendix A).
func eui64(m header.MAC) uint64 {
	return binary.BigEndian.Uint64([]byte{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]})
}

func withIID(prefix netip.Prefix, iid uint64) netip.Addr {
	a := prefix.Addr().As16()
	binary.BigEndian.PutUint64(a[8:], iid)
	return netip.AddrFrom16(a)
}

// reserved tells whether an interface identifier has a meaning of its own
// (RFC 5453): the subnet-router anycast address, the identifiers of IANA's block
// of Ethernet addresses, and the reserved subnet anycast addresses.
func reserved(iid uint64) bool {
	return iid == 0 || iid>>24 == 0x02005efffe || iid >= 0xfdffffffffffff80 && iid <= 0xfdffffffffffffff
}
