package header

// The lengths that a cookie of Fast Open may have. It is even.
const (
	FastOpenCookieMin = 4
	FastOpenCookieMax = 16
)

// FastOpen is the option of TCP Fast Open (RFC 7413 4.1.1): a cookie, or with none
// the request for one. The zero value is no option.
type FastOpen struct {
	Present      bool
	Experimental bool  // in the form that it had before RFC 7413
	Len          uint8 // of the cookie; 0: a request
	Cookie       [FastOpenCookieMax]byte
}

// aligned returns the length that append encodes.
func (f *FastOpen) aligned() int {
	switch {
	case !f.Present:
		return 0
	case f.Experimental:
		return (4 + int(f.Len) + 3) &^ 3
	}
	return (2 + int(f.Len) + 3) &^ 3
}

func (f *FastOpen) append(b []byte) []byte {
	n := f.aligned()
	if n == 0 {
		return b
	}
	if f.Experimental {
		b = append(b, tcpOptionExperiment, 4+f.Len, fastOpenExperiment>>8, fastOpenExperiment&0xff)
		n -= 4
	} else {
		b = append(b, tcpOptionFastOpen, 2+f.Len)
		n -= 2
	}
	b = append(b, f.Cookie[:f.Len]...)
	for n -= int(f.Len); n > 0; n-- {
		b = append(b, tcpOptionNop)
	}
	return b
}

// set takes what the option holds. A cookie of a length that none has is as no
// option at all (RFC 7413 4.1.1).
func (f *FastOpen) set(experimental bool, cookie []byte) {
	n := len(cookie)
	if n%2 != 0 || n != 0 && n < FastOpenCookieMin || n > FastOpenCookieMax {
		return
	}
	*f = FastOpen{Present: true, Experimental: experimental, Len: uint8(n)}
	copy(f.Cookie[:], cookie)
}
