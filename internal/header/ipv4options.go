package header

// Kinds of IPv4 options (RFC 791 3.1, RFC 2113).
const (
	IPv4OptionEnd         = 0
	IPv4OptionNop         = 1
	IPv4OptionRecordRoute = 7
	IPv4OptionTimestamp   = 68
	IPv4OptionLSRR        = 131
	IPv4OptionRouterAlert = 148
	IPv4OptionSSRR        = 137
)

// IPv4RouterAlert is the encoded router alert option (RFC 2113), which IGMP
// messages carry.
const IPv4RouterAlert = "\x94\x04\x00\x00"

// NextIPv4Option takes the first option off b, past those of one byte: its kind,
// the bytes after its length, and what follows. At the end of the options the
// kind is 0 and rest is empty.
func NextIPv4Option(b []byte) (kind uint8, data, rest []byte, err error) {
	for len(b) > 0 && b[0] == IPv4OptionNop {
		b = b[1:]
	}
	if len(b) == 0 || b[0] == IPv4OptionEnd {
		return IPv4OptionEnd, nil, nil, nil
	}
	if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
		return b[0], nil, nil, ErrOption
	}
	n := int(b[1])
	return b[0], b[2:n:n], b[n:], nil
}

// AppendCopiedOptions appends those of the encoded options that each fragment
// of a packet carries, not only the first: the ones whose kind has the highest
// bit set (RFC 791 3.1, copied flag). The length of the result is a multiple of
// 4. Options behind a malformed one are left out.
func AppendCopiedOptions(b, options []byte) []byte {
	at := len(b)
	for len(options) > 0 {
		kind, data, rest, err := NextIPv4Option(options)
		if err != nil {
			break
		}
		if kind&0x80 != 0 {
			b = append(b, kind, uint8(2+len(data)))
			b = append(b, data...)
		}
		options = rest
	}
	return appendZeros(b, at+(len(b)-at+3)&^3)
}
