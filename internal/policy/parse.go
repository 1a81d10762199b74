package policy

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxRule is the longest rule, in bytes.
const maxRule = 1024

// ParseRule reads a rule:
//
//	rule   = [ proto "/" ] where | proto
//	proto  = "tcp" | "udp" | "icmp"
//	where  = target [ ":" ports ] | ":" ports
//	target = "*" | "any" | name [ "@" net ] | net
//	name   = host | "*." host
//	net    = address | address "/" length | "[" IPv6 "]" | "[" IPv6 "/" length "]"
//	ports  = range { "," range }
//	range  = port | port "-" port
//
// Without a protocol a rule is about all three, without ports about all of them.
// "*.example.com" is every name below example.com, however deep, and not
// example.com itself. A name holds for public addresses; with "@" it holds for
// those of that network, and for no other. An IPv6 address before a port stands
// in brackets.
//
// The error is a *RuleError.
func ParseRule(allow bool, text string) (*Rule, error) {
	p := ruleParser{text: text, rule: &Rule{allow: allow, text: text}}
	p.parse()
	if p.err != nil {
		return nil, p.err
	}
	return p.rule, nil
}

// A ruleParser keeps the first mistake. Its positions are indices of text.
type ruleParser struct {
	text string
	rule *Rule
	err  *RuleError
}

func (p *ruleParser) fail(at, width int, hint, problem string) {
	if p.err == nil {
		p.err = &RuleError{What: "rule", Text: p.text, Problem: problem, Hint: hint, At: at, Width: max(width, 1)}
	}
}

var protos = map[string]Proto{"tcp": TCP, "udp": UDP, "icmp": ICMP}

func (p *ruleParser) parse() {
	switch {
	case p.text == "":
		p.fail(0, 1, "'*' is everything", "the rule is empty")
		return
	case len(p.text) > maxRule:
		p.fail(0, 1, "", "the rule is longer than "+strconv.Itoa(maxRule)+" bytes")
		return
	}
	if at := strings.IndexAny(p.text, " \t\r\n"); at >= 0 {
		p.fail(at, 1, "each rule is an argument of its own", "there is a space in the rule")
		return
	}
	if proto, ok := protos[p.text]; ok {
		p.rule.proto, p.rule.target = proto, anything
		return
	}
	if at := strings.Index(p.text, "://"); at >= 0 {
		p.fail(at, 3, "a rule is a host and a port: example.com:443", "this is a URL")
		return
	}
	at := 0
	if word, _, ok := strings.Cut(p.text, "/"); ok && letters(word) {
		if p.rule.proto, ok = protos[word]; !ok {
			p.fail(0, len(word), "it is tcp, udp or icmp", "unknown protocol "+strconv.Quote(word))
			return
		}
		at = len(word) + 1
		if p.text[at:] == "" {
			p.fail(at, 1, word+"/* is everything over "+word, "there is nothing behind the protocol")
			return
		}
	}
	p.where(at)
}

func letters(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz") == ""
}

// where reads what stands behind the protocol.
func (p *ruleParser) where(at int) {
	rest := p.text[at:]
	if name, _, ok := strings.Cut(rest, "@"); ok {
		p.name(at, name)
		at += len(name) + 1
		if rest = p.text[at:]; rest == "" {
			p.fail(at, 1, "name@10.0.0.0/8 is the name where it is in that network", "there is no network behind the @")
			return
		}
		end := p.split(at)
		p.network(at, p.text[at:end])
		p.rule.target = byName
		p.ports(end)
		return
	}
	end := p.split(at)
	switch host := p.text[at:end]; {
	case host == "*" || host == "any" || host == "" && end < len(p.text):
		p.rule.target = anything
	case isAddress(host):
		p.network(at, host)
	default:
		p.name(at, host)
	}
	p.ports(end)
}

// split is the index of the colon that is before the ports, or the end.
func (p *ruleParser) split(at int) int {
	rest := p.text[at:]
	if strings.HasPrefix(rest, "[") {
		if end := strings.IndexByte(rest, ']'); end >= 0 {
			return at + end + 1
		}
		p.fail(at, 1, "", "the bracket is not closed")
		return len(p.text)
	}
	if i := strings.IndexByte(rest, ':'); i >= 0 && strings.Count(rest, ":") == 1 {
		return at + i
	}
	return len(p.text)
}

// isAddress tells whether something is meant as an address or network.
func isAddress(s string) bool {
	if strings.ContainsAny(s, "[:/") {
		return true
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

func (p *ruleParser) network(at int, s string) {
	p.rule.target = byAddress
	inner, bracketed := s, false
	if strings.HasPrefix(s, "[") {
		inner, bracketed = strings.TrimSuffix(s[1:], "]"), true
		at++
	}
	p.rule.prefix = p.prefix(at, inner)
	if p.err == nil && bracketed && !strings.Contains(inner, ":") {
		p.fail(at, len(inner), "", "only IPv6 stands in brackets")
	}
}

// prefix reads an address or a network. An IPv4-mapped one is the IPv4 one.
func (p *ruleParser) prefix(at int, s string) netip.Prefix {
	const wantPort = "an IPv6 address before a port stands in brackets: [2001:db8::1]:443"
	text, _, hasLength := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil {
		hint := "an address or network is like 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32"
		if strings.Contains(text, ":") {
			hint = wantPort
		}
		p.fail(at, len(text), hint, "this is not an address: "+strconv.Quote(text))
		return netip.Prefix{}
	}
	if addr.Zone() != "" {
		p.fail(at, len(text), "", "an address of a rule has no zone")
		return netip.Prefix{}
	}
	if !hasLength {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen())
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		hint := "it is from 0 to " + strconv.Itoa(addr.BitLen())
		if strings.Contains(s[len(text):], ":") && addr.Is6() {
			hint = wantPort
		}
		p.fail(at+len(text)+1, len(s)-len(text)-1, hint, "this is not the length of a prefix")
		return netip.Prefix{}
	}
	if prefix != prefix.Masked() {
		p.fail(at, len(s), "did you mean "+prefix.Masked().String()+", or "+text+"?", "the network has bits set behind its length")
		return netip.Prefix{}
	}
	if addr.Is4In6() {
		// Masked() of a mapped network with fewer bits than 96 is not mapped.
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix
}

func (p *ruleParser) name(at int, s string) {
	p.rule.target = byName
	host, wild := strings.CutPrefix(s, "*.")
	start := at
	if wild {
		start += 2
	}
	bare := strings.TrimSuffix(host, ".")
	if i, width, problem := badName(bare); problem != "" {
		hint := ""
		switch {
		case i < len(bare) && bare[i] == '*':
			hint = "a * stands for all names below another, *.example.com, or alone for everything"
		case i < len(bare) && bare[i] >= 0x80:
			hint = "write the name as DNS has it: xn--..."
		}
		p.fail(start+i, width, hint, problem)
		return
	}
	p.rule.name = pattern(strings.ToLower(bare))
	if wild {
		p.rule.name = "*." + p.rule.name
	}
}

// ports reads what stands behind the target.
func (p *ruleParser) ports(at int) {
	if p.err != nil || at == len(p.text) {
		return
	}
	if p.text[at] != ':' {
		p.fail(at, len(p.text)-at, "", "this does not belong to an address or a port")
		return
	}
	at++
	if p.rule.proto == ICMP {
		p.fail(at, len(p.text)-at, "", "icmp has no ports")
		return
	}
	for _, one := range strings.Split(p.text[at:], ",") {
		from, to, isRange := strings.Cut(one, "-")
		r := ports{from: p.port(at, from)}
		r.to = r.from
		if isRange {
			r.to = p.port(at+len(from)+1, to)
		}
		if r.to < r.from {
			p.fail(at, len(one), "", "the range ends before it begins")
		}
		p.rule.ports = append(p.rule.ports, r)
		at += len(one) + 1
	}
}

func (p *ruleParser) port(at int, s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		p.fail(at, len(s), "a port is a number from 1 to 65535", "this is not a port: "+strconv.Quote(s))
	}
	return uint16(n)
}
