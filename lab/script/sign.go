package script

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

// A secret is a key that a socket of the script was given, and that the script
// signs and verifies segments with: of MD5, or of TCP-AO.
type secret struct {
	md5  *socket.TCPMD5Sig
	ao   *socket.TCPAOKey
	peer netip.Prefix
}

// algorithms are those of TCP-AO.
var algorithms = []socket.TCPAlgorithm{tcpauth.HMACSHA1, tcpauth.AES128CMAC}

// aoMACLen is how long the codes of TCP-AO are (RFC 5926 2.1, 3.2).
const aoMACLen = 12

// learnKey notes a key that a socket has got.
func (r *run) learnKey(value any) {
	s := secret{}
	switch v := value.(type) {
	case socket.TCPMD5Sig:
		s.md5, s.peer = &v, v.Peer
	case socket.TCPAOKey:
		s.ao, s.peer = &v, v.Peer
	default:
		return
	}
	if a := s.peer.Addr(); a.Is4In6() && s.peer.Bits() >= 96 {
		s.peer = netip.PrefixFrom(a.Unmap(), s.peer.Bits()-96)
	}
	r.secrets = append(r.secrets, s)
}

// secretOf is the key that an option of a segment is signed with; the last that
// fits. By its number a key of TCP-AO is named by who sends.
func (r *run) secretOf(o *tcpOption, f *flow, out bool) *secret {
	for _, s := range slices.Backward(r.secrets) {
		switch {
		case !s.peer.Contains(f.remote.Addr()):
		case o.kind == optMD5 && s.md5 != nil && len(s.md5.Key) > 0:
			return &s
		case o.kind == optAO && s.ao != nil && len(o.data) > 1 && (out && s.ao.SendID == o.data[0] || !out && s.ao.RecvID == o.data[0]):
			return &s
		}
	}
	return nil
}

// sign fills in the code of an option in a segment of the peer, whose checksum is
// still zero. Without a key it stays zeros.
func (r *run) sign(seg []byte, o *tcpOption, f *flow) {
	at := findOption(seg, o.kind)
	if s := r.secretOf(o, f, false); s != nil && at > 0 {
		copy(seg[at+2:at+o.size()], s.code(seg, o, f, false))
	}
}

// signed tells whether the code of an option in a segment of the host is right.
func (r *run) signed(seg []byte, o *tcpOption, f *flow) bool {
	s, at := r.secretOf(o, f, true), findOption(seg, o.kind)
	if s == nil || at < 0 {
		return false
	}
	blank := bytes.Clone(seg)
	from := at + 2
	if o.kind == optAO {
		from += 2
	}
	clear(blank[from : at+o.size()])
	binary.BigEndian.PutUint16(blank[16:], 0)
	return bytes.Equal(s.code(blank, o, f, true), seg[at+2:at+o.size()])
}

// findOption is where an option of a kind begins in a segment; -1: there is none.
func findOption(seg []byte, kind uint8) int {
	end := int(seg[12]>>4) * 4
	for i := header.TCPMinLen; i < end; {
		switch {
		case seg[i] == kind:
			return i
		case seg[i] == optNop:
			i++
		case seg[i] == optEnd || i+1 >= end || seg[i+1] < 2:
			return -1
		default:
			i += int(seg[i+1])
		}
	}
	return -1
}

// code is what follows the kind and the length of an option, for a segment in which
// the code and the checksum are zero.
func (s *secret) code(seg []byte, o *tcpOption, f *flow, out bool) []byte {
	src, dst := f.remote.Addr(), f.local.Addr()
	if out {
		src, dst = dst, src
	}
	head := int(seg[12]>>4) * 4
	pseudo := pseudoHeader(src, dst, len(seg))
	if s.md5 != nil {
		// RFC 2385 2.0: the options are left out.
		return tcpauth.MD5.New(s.md5.Key).Sum(nil, [][]byte{pseudo, seg[:header.TCPMinLen], seg[head:]})
	}
	key := s.ao.Algorithm.New(s.trafficKey(seg, f, out))
	header := seg[:head]
	if s.ao.ExcludeOptions {
		at := findOption(seg, optAO)
		header = slices.Concat(seg[:20], seg[at:at+o.size()])
	}
	// RFC 5925 5.1: the extension of the sequence number comes first.
	mac := key.Sum(nil, [][]byte{binary.BigEndian.AppendUint32(nil, f.extension(seg, out)), pseudo, header, seg[head:]})
	return append(slices.Clone(o.data[:2]), mac[:o.size()-4]...)
}

// trafficKey derives the key of a connection and a direction (RFC 5925 5.2, RFC
// 5926 3.1.1).
func (s *secret) trafficKey(seg []byte, f *flow, out bool) []byte {
	src, dst := f.remote, f.local
	from, to := f.peerNumber(f.remoteISN, true), f.hostNumber(f.localISN, true)
	if out {
		src, dst, from, to = dst, src, to, from
	}
	if seg[13]&uint8(header.SYN|header.ACK) == uint8(header.SYN) {
		to = 0
	}
	b := append([]byte{1}, "TCP-AO"...)
	b = append(append(b, src.Addr().AsSlice()...), dst.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint32(b, from)
	b = binary.BigEndian.AppendUint32(b, to)
	b = binary.BigEndian.AppendUint16(b, uint16(8*s.ao.Algorithm.Size()))
	return s.ao.Algorithm.New(s.ao.Secret).Sum(nil, [][]byte{b})
}

// extension is how often the sequence numbers of a side have wrapped around (RFC
// 5925 6.2).
func (f *flow) extension(seg []byte, out bool) uint32 {
	first := f.peerNumber(f.remoteISN, true)
	if out {
		first = f.hostNumber(f.localISN, true)
	}
	seq := binary.BigEndian.Uint32(seg[4:])
	return uint32((uint64(first) + uint64(seq-first)) >> 32)
}

// pseudoHeader is what codes take of the IP header: for IPv6 that of RFC 8200 8.1.
func pseudoHeader(src, dst netip.Addr, length int) []byte {
	b := append(src.AsSlice(), dst.AsSlice()...)
	if src.Is4() {
		return append(b, 0, header.ProtocolTCP, uint8(length>>8), uint8(length))
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(length)), 0, 0, 0, header.ProtocolTCP)
}
