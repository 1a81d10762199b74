package header

// Kinds of TCPAuth, which are those of the options.
const (
	TCPAuthNone = 0
	TCPAuthMD5  = 19 // RFC 2385
	TCPAuthAO   = 29 // RFC 5925 2.2
	// TCPAuthInvalid stands for an option that no sender makes so, and for more
	// than one in a segment (RFC 5925 2.2).
	TCPAuthInvalid = 255
)

// TCPMD5Len is the length of an MD5 signature.
const TCPMD5Len = 16

// TCPAuthAt is where Append leaves room for the code: both options come first,
// as on Linux, and both have four bytes before it.
const TCPAuthAt = TCPMinLen + 4

// TCPAuth is an option that authenticates a segment: an MD5 signature, or the
// Authentication Option. The code itself stays in the header, at At. The zero
// value is no option.
type TCPAuth struct {
	Kind              uint8
	KeyID, RNextKeyID uint8 // of the Authentication Option
	Len               uint8 // of the code
	At                uint8 // where it is from the beginning of the TCP header; set by parsing
}

// aligned returns the length that append encodes.
func (a TCPAuth) aligned() int {
	if a.Kind == TCPAuthNone {
		return 0
	}
	return (4 + int(a.Len) + 3) &^ 3
}

// append encodes the option with zeros in place of the code.
func (a TCPAuth) append(b []byte) []byte {
	n := a.aligned()
	switch {
	case n == 0:
		return b
	case a.Kind == TCPAuthMD5:
		b = append(b, tcpOptionNop, tcpOptionNop, a.Kind, 2+a.Len)
	default:
		b = append(b, a.Kind, 4+a.Len, a.KeyID, a.RNextKeyID)
	}
	for range a.Len {
		b = append(b, 0)
	}
	for n -= 4 + int(a.Len); n > 0; n-- {
		b = append(b, tcpOptionNop)
	}
	return b
}

// set takes an option of that kind whose content, data, begins at at.
func (a *TCPAuth) set(kind uint8, data []byte, at int) {
	switch {
	case a.Kind != TCPAuthNone:
		*a = TCPAuth{Kind: TCPAuthInvalid}
	case kind == TCPAuthMD5 && len(data) == TCPMD5Len:
		*a = TCPAuth{Kind: kind, Len: TCPMD5Len, At: uint8(at)}
	case kind == TCPAuthAO && len(data) >= 2:
		*a = TCPAuth{Kind: kind, KeyID: data[0], RNextKeyID: data[1], Len: uint8(len(data) - 2), At: uint8(at + 2)}
	default:
		*a = TCPAuth{Kind: TCPAuthInvalid}
	}
}
