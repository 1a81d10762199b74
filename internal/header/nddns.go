package header

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
)

// RDNSS lists recursive DNS servers (RFC 8106 5.1).
type RDNSS struct {
	Lifetime time.Duration // seconds; may be Infinite, 0 withdraws
	Servers  []netip.Addr
}

// parse refuses the option if it holds no server, or a part of one
// (RFC 8106 5.3.1).
func (d *RDNSS) parse(data []byte) bool {
	if len(data) < 22 || (len(data)-6)%16 != 0 {
		return false
	}
	d.Lifetime = getSeconds(data[2:])
	for data = data[6:]; len(data) > 0; data = data[16:] {
		d.Servers = append(d.Servers, addr16(data[:16]))
	}
	return true
}

func (d *RDNSS) append(b []byte) []byte {
	servers := d.Servers[:min(len(d.Servers), 127)]
	b = append(b, ndRDNSS, uint8(1+2*len(servers)), 0, 0)
	b = binary.BigEndian.AppendUint32(b, seconds(d.Lifetime))
	for _, a := range servers {
		b = append16(b, a)
	}
	return b
}

// DNSSL lists domains to search names in (RFC 8106 5.2).
type DNSSL struct {
	Lifetime time.Duration // seconds; may be Infinite, 0 withdraws
	Domains  []string      // without the final dot
}

// Lengths of names in the wire's form (RFC 1035 3.1).
const (
	maxLabel = 63
	maxName  = 255
)

// parse refuses the option unless all of it is names of labels, which are never
// compressed, and zeros at the end.
func (d *DNSSL) parse(data []byte) bool {
	d.Lifetime = getSeconds(data[2:])
	for rest := data[6:]; len(rest) > 0 && rest[0] != 0; {
		name, after, ok := parseName(rest)
		if !ok {
			return false
		}
		d.Domains = append(d.Domains, name)
		rest = after
	}
	return len(d.Domains) > 0
}

// parseName reads one name. Labels may hold letters, digits, hyphens and
// underscores, so that a name means the same wherever it is later written.
func parseName(b []byte) (name string, rest []byte, ok bool) {
	var s strings.Builder
	for used := 0; ; {
		if len(b) == 0 {
			return "", nil, false
		}
		n := int(b[0])
		if n == 0 {
			return s.String(), b[1:], true
		}
		if used += 1 + n; n > maxLabel || used >= maxName || len(b) < 1+n || !isLabel(b[1:1+n]) {
			return "", nil, false
		}
		if s.Len() > 0 {
			s.WriteByte('.')
		}
		s.Write(b[1 : 1+n])
		b = b[1+n:]
	}
}

func isLabel(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// append leaves out names that have no valid form.
func (d *DNSSL) append(b []byte) []byte {
	at := len(b)
	b = append(b, ndDNSSL, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, seconds(d.Lifetime))
	for _, name := range d.Domains {
		end := len(b)
		b = appendName(b, name)
		if _, _, ok := parseName(b[end:]); !ok || len(b)-at > 255*8 {
			b = b[:end]
		}
	}
	b = appendZeros(b, at+(len(b)-at+7)&^7)
	b[at+1] = uint8((len(b) - at) / 8)
	return b
}

func appendName(b []byte, name string) []byte {
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		b = append(b, uint8(min(len(label), maxName)))
		b = append(b, label...)
	}
	return append(b, 0)
}
