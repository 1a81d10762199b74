package header

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"
)

// Types of group records, the same in IGMPv3 and MLDv2 (RFC 3376 4.2.12,
// RFC 3810 5.2.12).
const (
	ModeIsInclude   = 1
	ModeIsExclude   = 2
	ChangeToInclude = 3
	ChangeToExclude = 4
	AllowNewSources = 5
	BlockOldSources = 6
)

// A GroupRecord is what a report of IGMPv3 or MLDv2 says of one group. Auxiliary
// data, which neither defines, are passed over and never sent.
type GroupRecord struct {
	Type    uint8
	Group   netip.Addr
	Sources []netip.Addr
}

// parseRecords reads count records with addresses of size bytes. It allocates
// no more than b can hold.
func parseRecords(b []byte, count, size int) (records []GroupRecord, rest []byte, err error) {
	fixed := 4 + size
	if count > len(b)/fixed {
		return nil, nil, ErrTruncated
	}
	for range count {
		if len(b) < fixed {
			return nil, nil, ErrTruncated
		}
		r := GroupRecord{Type: b[0], Group: addrOf(b[4:fixed])}
		aux := int(b[1]) * 4
		r.Sources, b, err = parseAddrs(b[fixed:], int(binary.BigEndian.Uint16(b[2:])), size)
		if err != nil {
			return nil, nil, err
		}
		if len(b) < aux {
			return nil, nil, ErrTruncated
		}
		b = b[aux:]
		records = append(records, r)
	}
	return records, b, nil
}

func appendRecords(b []byte, records []GroupRecord, size int) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(records)))
	for i := range records {
		r := &records[i]
		b = append(b, r.Type, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(len(r.Sources)))
		b = appendAddr(b, r.Group, size)
		for _, a := range r.Sources {
			b = appendAddr(b, a, size)
		}
	}
	return b
}

func parseAddrs(b []byte, count, size int) (addrs []netip.Addr, rest []byte, err error) {
	if len(b) < count*size {
		return nil, nil, ErrTruncated
	}
	for range count {
		addrs = append(addrs, addrOf(b[:size]))
		b = b[size:]
	}
	return addrs, b, nil
}

func addrOf(b []byte) netip.Addr {
	if len(b) == 4 {
		return addr4(b)
	}
	return addr16(b)
}

func appendAddr(b []byte, a netip.Addr, size int) []byte {
	if size == 4 {
		return append4(b, a)
	}
	return append16(b, a)
}

// parseQuerier reads the two bytes that queries of IGMPv3 and MLDv2 share.
func parseQuerier(b []byte) (suppress bool, qrv uint8, qqi time.Duration) {
	return b[0]&8 != 0, b[0] & 7, time.Duration(decodeFloat8(b[1])) * time.Second
}

func appendQuerier(b []byte, suppress bool, qrv uint8, qqi time.Duration) []byte {
	return append(b, bit(suppress, 8)|qrv&7, encodeFloat8(int(qqi/time.Second)))
}

// The codes for times of IGMPv3 and MLDv2 stand for themselves below half of
// their range; above, they are floating-point numbers with a leading 1 bit, an
// exponent of 3 bits, and a mantissa of 4 or 12 bits whose own leading 1 is left
// out (RFC 3376 4.1.1, RFC 3810 5.1.3).

func decodeFloat8(code uint8) int { return decodeFloat(int(code), 4) }

func decodeFloat16(code uint16) int { return decodeFloat(int(code), 12) }

func encodeFloat8(v int) uint8 { return uint8(encodeFloat(v, 4)) }

func encodeFloat16(v int) uint16 { return uint16(encodeFloat(v, 12)) }

func decodeFloat(code, mantissa int) int {
	if code < 1<<(mantissa+3) {
		return code
	}
	exp := code >> mantissa & 7
	return (code&(1<<mantissa-1) | 1<<mantissa) << (exp + 3)
}

// encodeFloat gives the code of the largest number not above v that has one.
func encodeFloat(v, mantissa int) int {
	v = max(v, 0)
	if v < 1<<(mantissa+3) {
		return v
	}
	exp := bits.Len(uint(v)) - (mantissa + 4)
	if exp > 7 {
		return 1<<(mantissa+4) - 1
	}
	return 1<<(mantissa+3) | exp<<mantissa | v>>(exp+3)&(1<<mantissa-1)
}
