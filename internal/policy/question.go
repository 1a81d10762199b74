package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Of messages.
const (
	// plainUDP is how long an answer over UDP may be for who does not say (RFC
	// 1035 4.2.1), askedUDP what berth itself asks for and at most sends: what
	// crosses any path in one piece.
	plainUDP = 512
	askedUDP = 1232
	// hostTTL is how long an answer about a name of Config.Hosts holds, in
	// seconds.
	hostTTL = 60
	// maxServiceLabels is how many labels with an underscore may be before a name
	// that a rule has: _443._tcp.example.com (RFC 8552).
	maxServiceLabels = 3
)

// The types that dnsmessage has no names for.
const (
	typeSSHFP dnsmessage.Type = 44
	typeTLSA  dnsmessage.Type = 52
	typeCAA   dnsmessage.Type = 257
)

// asked are the types that may be asked for. Others are for zones' keepers, or
// have been of use to tunnels only (NULL, ANY, KEY), or have names in them that
// would be compressed in a way that nobody knows.
var asked = []dnsmessage.Type{
	dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeCNAME, dnsmessage.TypeHTTPS, dnsmessage.TypeSVCB,
	dnsmessage.TypeMX, dnsmessage.TypeSRV, dnsmessage.TypeTXT, dnsmessage.TypeNS, dnsmessage.TypeSOA,
	dnsmessage.TypePTR, typeSSHFP, typeTLSA, typeCAA,
}

// A Query is a question of the program, and what is to be done about it.
type Query struct {
	// Name is the name that is asked for, in its canonical form if it has one, and
	// Type the type: "A".
	Name, Type string
	// Verdict says whether the question may be answered.
	Verdict Verdict
	// Forward is the message to ask the world's resolver, and Reply the answer to
	// give the program at once. One of them is nil.
	Forward, Reply []byte

	head     dnsmessage.Header
	question dnsmessage.Question
	edns     bool // the program knows EDNS, and may be told more
	limit    int  // of the answer's length
	stream   bool
}

// Question reads a message to berth's resolver, over TCP if stream is true. It is
// nil for what is to be dropped.
//
// Of the message only the question goes on, in a message made anew: what else it
// had, down to the case of the letters, could carry data past the rules.
func (p *Policy) Question(now time.Time, msg []byte, stream bool) *Query {
	var parser dnsmessage.Parser
	head, err := parser.Start(msg)
	if err != nil || head.Response {
		return nil
	}
	q := &Query{head: head, limit: plainUDP, stream: stream}
	if stream {
		q.limit = 1<<16 - 1
	}
	if head.OpCode != 0 {
		return q.refuse(dnsmessage.RCodeNotImplemented, "only questions are answered")
	}
	questions, err := parser.AllQuestions()
	if err != nil || len(questions) != 1 {
		return q.refuse(dnsmessage.RCodeFormatError, "the message has not one question")
	}
	q.question = questions[0]
	q.Type = strings.TrimPrefix(q.question.Type.String(), "Type")
	q.Name = strings.TrimSuffix(q.question.Name.String(), ".")
	q.readEDNS(&parser)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.question(now, q)
	if q.Verdict.Allow {
		p.stats.Asked++
	} else {
		p.stats.Refused++
	}
	return q
}

// readEDNS takes from the message how long an answer may be.
func (q *Query) readEDNS(parser *dnsmessage.Parser) {
	if parser.SkipAllAnswers() != nil || parser.SkipAllAuthorities() != nil {
		return
	}
	for {
		h, err := parser.AdditionalHeader()
		if err != nil {
			return
		}
		if h.Type == dnsmessage.TypeOPT {
			q.edns = true
			if !q.stream {
				q.limit = min(max(int(h.Class), plainUDP), askedUDP)
			}
			return
		}
		if parser.SkipAdditional() != nil {
			return
		}
	}
}

// question decides.
func (p *Policy) question(now time.Time, q *Query) {
	r := p.rules.Load()
	name, ok := canonical(q.Name)
	switch {
	case q.question.Class != dnsmessage.ClassINET:
		q.refuse(dnsmessage.RCodeRefused, "only the class IN is answered")
		return
	case !ok:
		q.refuse(dnsmessage.RCodeNameError, "it is no name of a host")
		return
	}
	q.Name = name
	if addrs, ok := p.hosts[name]; ok {
		q.local(addrs)
		return
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		// RFC 6761 6.3: the program's own loopback.
		q.local([]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()})
		return
	}
	if a := reversed(name); a.IsValid() && q.reverse(p.pins.names(now, a)) {
		return
	}
	host := withoutService(name)
	if no := r.asks(host); no != nil {
		q.refuse(dnsmessage.RCodeNameError, no.reason).Verdict.Rule = no.rule
		return
	}
	if !slices.Contains(asked, q.question.Type) {
		q.refuse(dnsmessage.RCodeSuccess, fmt.Sprintf("questions for %s are not answered", q.Type))
		return
	}
	v := Verdict{Allow: true, Name: name}
	one := r.opener(host)
	switch {
	case one != nil:
		v.Rule = one.text
		if one.target == byName && (one.name.wild() || host != name) && !p.budgets.take(now, one, name) {
			q.refuse(dnsmessage.RCodeRefused, "too many names, or too long ones, are asked for below "+one.name.base())
			return
		}
	case r.ask && !p.budgets.take(now, unruled, name):
		q.refuse(dnsmessage.RCodeRefused, "too many names, or too long ones, are asked for that no rule is about")
		return
	}
	q.forward(v)
}

// withoutService is a name without the labels of a service before it.
func withoutService(name string) string {
	for range maxServiceLabels {
		label, rest, ok := strings.Cut(name, ".")
		if !ok || label[0] != '_' {
			break
		}
		name = rest
	}
	return name
}

// forward makes the message for the world's resolver.
func (q *Query) forward(v Verdict) {
	q.Verdict = v
	name := dnsmessage.MustNewName(q.Name + ".") // a canonical name is short enough
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.head.ID, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: q.question.Type, Class: dnsmessage.ClassINET}},
	}
	m.Additionals = append(m.Additionals, edns(nil))
	q.Forward, _ = m.Pack() // and has no empty part
}

// local answers with addresses that berth gives itself.
func (q *Query) local(addrs []netip.Addr) {
	q.Verdict = Verdict{Allow: true, Name: q.Name}
	m := q.answer(dnsmessage.RCodeSuccess)
	for _, a := range addrs {
		if body := addressOf(a, q.question.Type); body != nil {
			m.Answers = append(m.Answers, q.record(q.question.Name, hostTTL, body))
		}
	}
	q.Reply = q.pack(m)
}

// refuse answers the question with a code and, if the program can read it, with
// the reason as an extended error (RFC 8914 4.16, Blocked). Names are refused as
// if there were none: resolvers take REFUSED for a fault that passes, and ask
// again and again.
func (q *Query) refuse(code dnsmessage.RCode, reason string) *Query {
	q.Verdict = Verdict{Name: q.Name, Reason: reason}
	q.Forward, q.Reply = nil, q.blocked(code, reason)
	return q
}

// Fail is the answer where the world's resolver gave none.
func (q *Query) Fail() []byte { return q.pack(q.answer(dnsmessage.RCodeServerFailure)) }
