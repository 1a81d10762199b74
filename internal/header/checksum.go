package header

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Sum adds the 16-bit words of b in ones' complement (RFC 1071) to the partial
// sum acc. A last odd byte counts as if a zero followed.
//
// Sums of pieces may be added in any order as long as each piece begins at an
// even offset of what is summed; [SumAt] is for the others.
func Sum(b []byte, acc uint32) uint32 {
	return uint32(fold16(acc)) + uint32(sumWords(b))
}

// SumAt is Sum for a piece that begins offset bytes into what is summed: at an
// odd offset its bytes change places (RFC 1071 section 2, byte order
// independence).
func SumAt(b []byte, offset int, acc uint32) uint32 {
	s := sumWords(b)
	if offset&1 != 0 {
		s = bits.ReverseBytes16(s)
	}
	return uint32(fold16(acc)) + uint32(s)
}

// Fold gives the checksum field for a partial sum: its ones' complement. What
// has its checksum in place folds to 0.
func Fold(acc uint32) uint16 { return ^fold16(acc) }

// Partial gives what the field holds while a device is to complete the
// checksum: the folded sum of the pseudo-header, not complemented.
func Partial(acc uint32) uint16 { return fold16(acc) }

// PseudoSum is the partial sum of the pseudo-header that TCP, UDP and ICMPv6 sum
// with their bytes (RFC 9293 3.1, RFC 8200 8.1). Both have one formula, since
// the fields that are longer in IPv6 only add zeros. Length counts the
// transport's header and payload.
func PseudoSum(src, dst netip.Addr, protocol uint8, length int) uint32 {
	return SumAddr(src) + SumAddr(dst) + uint32(protocol) + uint32(length)&0xffff + uint32(length)>>16
}

// SumAddr is the partial sum of an address, at most 17 bits long.
func SumAddr(a netip.Addr) uint32 {
	if a.Is4() {
		x := a.As4()
		v := binary.BigEndian.Uint32(x[:])
		return v>>16 + v&0xffff
	}
	x := a.As16()
	hi, lo := binary.BigEndian.Uint64(x[:8]), binary.BigEndian.Uint64(x[8:])
	s, carry := bits.Add64(hi, lo, 0)
	return uint32(fold64(s, carry))
}

// UpdateChecksum gives the checksum after some bytes that it covers have
// changed (RFC 1624 equation 3). Was and is are the partial sums of these bytes
// before and after: from Sum, from SumAddr, or the value of one 16-bit field.
func UpdateChecksum(check uint16, was, is uint32) uint16 {
	return Fold(uint32(^check) + uint32(^fold16(was)) + uint32(fold16(is)))
}

func fold16(acc uint32) uint16 {
	acc = acc>>16 + acc&0xffff
	return uint16(acc>>16 + acc)
}

// fold64 folds a sum and its carry. Adding them leaves no carry again: a sum
// with a carry is less than all ones.
func fold64(s, carry uint64) uint16 {
	s += carry
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	return fold16(uint32(s))
}

// sumWords sums in 64-bit words with the carry brought around, which ones'
// complement allows, and in little-endian order, which only swaps the bytes of
// the result. Two chains of additions run side by side.
func sumWords(b []byte) uint16 {
	var s, t, c, d uint64
	for len(b) >= 128 {
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[0:8]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[8:16]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[16:24]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[24:32]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[32:40]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[40:48]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[48:56]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[56:64]), c)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[64:72]), d)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[72:80]), d)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[80:88]), d)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[88:96]), d)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[96:104]), d)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[104:112]), d)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[112:120]), d)
		t, d = bits.Add64(t, binary.LittleEndian.Uint64(b[120:128]), d)
		b = b[128:]
	}
	for len(b) >= 32 {
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[0:8]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[8:16]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[16:24]), c)
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[24:32]), c)
		b = b[32:]
	}
	for len(b) >= 8 {
		s, c = bits.Add64(s, binary.LittleEndian.Uint64(b), c)
		b = b[8:]
	}
	// What is left is at most 7 bytes, put into one word.
	var last uint64
	if len(b) >= 4 {
		last = uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
		last |= tail(b) << 32
	} else {
		last = tail(b)
	}
	s, c = bits.Add64(s, last, c)
	s, c = bits.Add64(s, t+d, c) // t+d: see fold64
	return bits.ReverseBytes16(fold64(s, c))
}

// tail is the little-endian value of up to three bytes.
func tail(b []byte) (v uint64) {
	switch len(b) {
	case 3:
		v = uint64(b[2]) << 16
		fallthrough
	case 2:
		v |= uint64(b[1]) << 8
		fallthrough
	case 1:
		v |= uint64(b[0])
	}
	return v
}
