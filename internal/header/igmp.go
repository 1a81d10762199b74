package header

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Types of IGMP messages (RFC 1112, RFC 2236, RFC 3376).
const (
	IGMPTypeQuery    = 0x11
	IGMPTypeV1Report = 0x12
	IGMPTypeV2Report = 0x16
	IGMPTypeV2Leave  = 0x17
	IGMPTypeV3Report = 0x22
)

const (
	igmpLen        = 8
	igmpV3QueryLen = 12
)

// IGMPType returns the type of an IGMP message after verifying its length and
// its checksum, which covers all of it.
func IGMPType(b []byte) (uint8, error) {
	if len(b) < igmpLen {
		return 0, ErrTruncated
	}
	if Fold(Sum(b, 0)) != 0 {
		return 0, ErrChecksum
	}
	return b[0], nil
}

// parseIGMP verifies a message of the given type.
func parseIGMP(b []byte, want uint8) error {
	typ, err := IGMPType(b)
	if err == nil && typ != want {
		err = ErrType
	}
	return err
}

// putIGMPChecksum completes the message that ends b and begins at offset at.
func putIGMPChecksum(b []byte, at int) []byte {
	binary.BigEndian.PutUint16(b[at+2:], Fold(Sum(b[at:], 0)))
	return b
}

// IGMPQuery is a membership query.
type IGMPQuery struct {
	// Version is 1, 2 or 3, told by length and code (RFC 3376 7.1).
	Version int
	// MaxResp is the time within which to report; in version 1, which does not
	// say, 10 s.
	MaxResp time.Duration
	// Group is what is asked about; 0.0.0.0 for all.
	Group netip.Addr
	// What follows is of version 3 alone.
	Suppress bool          // routers skip their timers
	QRV      uint8         // the querier's robustness, 0 to 7
	QQI      time.Duration // the querier's interval
	Sources  []netip.Addr
}

// igmpV1MaxResp is what a query of version 1 means (RFC 2236 4).
const igmpV1MaxResp = 10 * time.Second

// igmpUnit is the unit of the response time.
const igmpUnit = 100 * time.Millisecond

// Parse reads a whole message and verifies its checksum. A length between
// those of the versions gives ErrLength (RFC 3376 7.1).
func (m *IGMPQuery) Parse(b []byte) (rest []byte, err error) {
	*m = IGMPQuery{}
	if err := parseIGMP(b, IGMPTypeQuery); err != nil {
		return nil, err
	}
	m.Group = addr4(b[4:8])
	switch {
	case len(b) == igmpLen && b[1] == 0:
		m.Version, m.MaxResp = 1, igmpV1MaxResp
		return nil, nil
	case len(b) == igmpLen:
		m.Version, m.MaxResp = 2, time.Duration(b[1])*igmpUnit
		return nil, nil
	case len(b) < igmpV3QueryLen:
		return nil, ErrLength
	}
	m.Version = 3
	m.MaxResp = time.Duration(decodeFloat8(b[1])) * igmpUnit
	m.Suppress, m.QRV, m.QQI = parseQuerier(b[8:10])
	m.Sources, rest, err = parseAddrs(b[igmpV3QueryLen:], int(binary.BigEndian.Uint16(b[10:])), 4)
	return rest, err
}

// Append appends the encoded message with its checksum. Times that have no code
// of their own are cut to the next shorter one.
func (m *IGMPQuery) Append(b []byte) []byte {
	at := len(b)
	code := uint8(0)
	switch m.Version {
	case 2:
		code = uint8(min(max(m.MaxResp/igmpUnit, 1), 255))
	case 3:
		code = encodeFloat8(int(m.MaxResp / igmpUnit))
	}
	b = append(b, IGMPTypeQuery, code, 0, 0)
	b = append4(b, m.Group)
	if m.Version == 3 {
		b = appendQuerier(b, m.Suppress, m.QRV, m.QQI)
		b = binary.BigEndian.AppendUint16(b, uint16(len(m.Sources)))
		for _, a := range m.Sources {
			b = append4(b, a)
		}
	}
	return putIGMPChecksum(b, at)
}

// IGMPReport is a report or a leave of version 1 or 2: Type says which.
type IGMPReport struct {
	Type  uint8 // IGMPTypeV1Report, IGMPTypeV2Report or IGMPTypeV2Leave
	Group netip.Addr
}

// Parse reads a message and verifies its checksum. What follows the message is
// ignored, but counts in the checksum (RFC 2236 2.5).
func (m *IGMPReport) Parse(b []byte) (rest []byte, err error) {
	typ, err := IGMPType(b)
	if err != nil {
		return nil, err
	}
	switch typ {
	case IGMPTypeV1Report, IGMPTypeV2Report, IGMPTypeV2Leave:
	default:
		return nil, ErrType
	}
	m.Type = typ
	m.Group = addr4(b[4:8])
	return b[igmpLen:], nil
}

// Append appends the encoded message with its checksum.
func (m *IGMPReport) Append(b []byte) []byte {
	at := len(b)
	b = append(b, m.Type, 0, 0, 0)
	b = append4(b, m.Group)
	return putIGMPChecksum(b, at)
}

// IGMPv3Report is a report of version 3 (RFC 3376 4.2).
type IGMPv3Report struct{ Records []GroupRecord }

// Parse reads a message and verifies its checksum.
func (m *IGMPv3Report) Parse(b []byte) (rest []byte, err error) {
	*m = IGMPv3Report{}
	if err := parseIGMP(b, IGMPTypeV3Report); err != nil {
		return nil, err
	}
	m.Records, rest, err = parseRecords(b[igmpLen:], int(binary.BigEndian.Uint16(b[6:])), 4)
	return rest, err
}

// Append appends the encoded message with its checksum.
func (m *IGMPv3Report) Append(b []byte) []byte {
	at := len(b)
	b = append(b, IGMPTypeV3Report, 0, 0, 0, 0, 0)
	b = appendRecords(b, m.Records, 4)
	return putIGMPChecksum(b, at)
}
