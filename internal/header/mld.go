package header

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The messages of multicast listener discovery (RFC 2710, RFC 3810). Each is a
// whole ICMPv6 message, as those of neighbor discovery: Append leaves the
// checksum to [PutICMPv6Checksum].

const (
	mldLen        = 24
	mldV2QueryLen = 28
)

// MLDQuery asks which groups have listeners.
type MLDQuery struct {
	// Version is 1 or 2, told by the length (RFC 3810 8.1).
	Version int
	// MaxResp is the time within which to report.
	MaxResp time.Duration
	// Group is what is asked about; :: for all.
	Group netip.Addr
	// What follows is of version 2 alone.
	Suppress bool          // routers skip their timers
	QRV      uint8         // the querier's robustness, 0 to 7
	QQI      time.Duration // the querier's interval
	Sources  []netip.Addr
}

// Parse reads a whole ICMPv6 message. A length between those of the versions
// gives ErrLength.
func (m *MLDQuery) Parse(b []byte) (rest []byte, err error) {
	*m = MLDQuery{}
	if _, err := parseND(b, ICMPv6MLDQuery, mldLen); err != nil {
		return nil, err
	}
	code := binary.BigEndian.Uint16(b[4:])
	m.Group = addr16(b[8:24])
	if len(b) == mldLen {
		m.Version, m.MaxResp = 1, time.Duration(code)*time.Millisecond
		return nil, nil
	}
	if len(b) < mldV2QueryLen {
		return nil, ErrLength
	}
	m.Version = 2
	m.MaxResp = time.Duration(decodeFloat16(code)) * time.Millisecond
	m.Suppress, m.QRV, m.QQI = parseQuerier(b[24:26])
	m.Sources, rest, err = parseAddrs(b[mldV2QueryLen:], int(binary.BigEndian.Uint16(b[26:])), 16)
	return rest, err
}

// Append appends the encoded message, without checksum. Times that have no code
// of their own are cut to the next shorter one.
func (m *MLDQuery) Append(b []byte) []byte {
	code := uint16(min(milliseconds(m.MaxResp), 0xffff))
	if m.Version == 2 {
		code = encodeFloat16(int(m.MaxResp / time.Millisecond))
	}
	b = append(b, ICMPv6MLDQuery, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, code)
	b = append(b, 0, 0)
	b = append16(b, m.Group)
	if m.Version != 2 {
		return b
	}
	b = appendQuerier(b, m.Suppress, m.QRV, m.QQI)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Sources)))
	for _, a := range m.Sources {
		b = append16(b, a)
	}
	return b
}

// MLDReport is a report or a done message of version 1: Type says which.
type MLDReport struct {
	Type  uint8 // ICMPv6MLDReport or ICMPv6MLDDone
	Group netip.Addr
}

// Parse reads an ICMPv6 message. What follows it is ignored.
func (m *MLDReport) Parse(b []byte) (rest []byte, err error) {
	typ := uint8(ICMPv6MLDReport)
	if len(b) > 0 && b[0] == ICMPv6MLDDone {
		typ = ICMPv6MLDDone
	}
	if rest, err = parseND(b, typ, mldLen); err != nil {
		return nil, err
	}
	m.Type = typ
	m.Group = addr16(b[8:24])
	return rest, nil
}

// Append appends the encoded message, without checksum.
func (m *MLDReport) Append(b []byte) []byte {
	b = append(b, m.Type, 0, 0, 0, 0, 0, 0, 0)
	return append16(b, m.Group)
}

// MLDv2Report is a report of version 2 (RFC 3810 5.2).
type MLDv2Report struct{ Records []GroupRecord }

// Parse reads a whole ICMPv6 message.
func (m *MLDv2Report) Parse(b []byte) (rest []byte, err error) {
	*m = MLDv2Report{}
	if _, err := parseND(b, ICMPv6MLDv2Report, ICMPLen); err != nil {
		return nil, err
	}
	m.Records, rest, err = parseRecords(b[ICMPLen:], int(binary.BigEndian.Uint16(b[6:])), 16)
	return rest, err
}

// Append appends the encoded message, without checksum.
func (m *MLDv2Report) Append(b []byte) []byte {
	b = append(b, ICMPv6MLDv2Report, 0, 0, 0, 0, 0)
	return appendRecords(b, m.Records, 16)
}
