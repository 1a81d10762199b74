package policy

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// The domains in which addresses are names, RFC 1035 3.5 and RFC 3596 2.5.
const (
	reverse4 = ".in-addr.arpa"
	reverse6 = ".ip6.arpa"
)

// reversed is the address that a name stands for in one of these domains; invalid
// if it stands for none.
func reversed(name string) netip.Addr {
	text := ""
	if digits, ok := strings.CutSuffix(name, reverse4); ok {
		parts := strings.Split(digits, ".")
		slices.Reverse(parts)
		text = strings.Join(parts, ".")
	} else if digits, ok := strings.CutSuffix(name, reverse6); ok {
		parts := strings.Split(digits, ".")
		slices.Reverse(parts)
		for i, nibble := range parts {
			if len(nibble) != 1 {
				return netip.Addr{}
			}
			if text += nibble; i%4 == 3 && i < 31 {
				text += ":"
			}
		}
		if len(parts) != 32 {
			return netip.Addr{}
		}
	}
	a, _ := netip.ParseAddr(text)
	return a
}

// reverse answers what an address is called, if it has a name here: the newest. No
// one is asked for that.
func (q *Query) reverse(names []*pin) bool {
	if q.question.Type != dnsmessage.TypePTR || len(names) == 0 {
		return false
	}
	q.Verdict = Verdict{Allow: true, Name: q.Name}
	m := q.answer(dnsmessage.RCodeSuccess)
	ptr := &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(names[0].name + ".")}
	m.Answers = append(m.Answers, q.record(q.question.Name, hostTTL, ptr))
	q.Reply = q.pack(m)
	return true
}
