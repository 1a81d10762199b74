package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Bounds on an answer of the world's resolver.
const (
	maxRecords = 512 // that are read of it
	maxChain   = 16  // names that lead from one to the next
)

// An Answer is what the program is told.
type Answer struct {
	// Reply is the message.
	Reply []byte
	// Code is the answer's: "NOERROR", "NXDOMAIN".
	Code string
	// Addrs are the addresses in it; for flows they have the name that was asked
	// for.
	Addrs []netip.Addr
	// Removed are those that were left out.
	Removed []netip.Addr
	// Reason is for people, why something was left out, or all.
	Reason string
}

// Answer reads what the world's resolver has said to Query.Forward, remembers
// which addresses the name has, and makes the answer for the program, anew: only
// what was asked for is in it.
//
//   - Addresses to which no rule lets the name lead are left out.
//   - A name that a rule refuses must not stand behind an alias.
//   - What HTTPS and SVCB records say of addresses, keys for encrypted names and
//     other hosts is left out: the first must be asked for, and with the second
//     the server name could not be read.
func (p *Policy) Answer(now time.Time, q *Query, msg []byte) Answer {
	var m dnsmessage.Message
	if err := m.Unpack(msg); err != nil || !q.answers(&m) {
		return Answer{Reply: q.Fail(), Code: codeName(dnsmessage.RCodeServerFailure), Reason: "the resolver's answer is malformed"}
	}
	switch {
	case m.Truncated && !q.stream:
		r := q.answer(m.RCode)
		r.Truncated = true
		return Answer{Reply: q.pack(r), Code: codeName(m.RCode)}
	case m.RCode != dnsmessage.RCodeSuccess && m.RCode != dnsmessage.RCodeNameError:
		return Answer{Reply: q.pack(q.answer(m.RCode)), Code: codeName(m.RCode)}
	}
	m.Answers = m.Answers[:min(len(m.Answers), maxRecords)]
	p.mu.Lock()
	defer p.mu.Unlock()
	w := answerWriter{p: p, q: q, rules: p.rules.Load(), now: now, out: q.answer(m.RCode), ttl: uint32(maxPin / time.Second)}
	w.write(&m)
	p.stats.Removed += uint64(len(w.answer.Removed))
	w.answer.Reply, w.answer.Code = q.pack(w.out), codeName(w.out.RCode)
	return w.answer
}

// answers tells whether a message is one to the question.
func (q *Query) answers(m *dnsmessage.Message) bool {
	if !m.Response || m.ID != q.head.ID || len(m.Questions) != 1 {
		return false
	}
	got := m.Questions[0]
	return got.Type == q.question.Type && got.Class == dnsmessage.ClassINET && nameOf(got.Name) == q.Name
}

func nameOf(n dnsmessage.Name) string {
	return strings.ToLower(strings.TrimSuffix(n.String(), "."))
}

// codes are the names of RFC 1035 4.1.1 and RFC 6895 2.3.
var codes = [...]string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}

func codeName(c dnsmessage.RCode) string {
	if int(c) < len(codes) {
		return codes[c]
	}
	return fmt.Sprintf("RCODE%d", c)
}

// An answerWriter makes one answer from another.
type answerWriter struct {
	p     *Policy
	q     *Query
	rules *rules
	now   time.Time

	out    *dnsmessage.Message
	answer Answer
	ttl    uint32 // the least that was seen on the way to the records
}

func (w *answerWriter) write(m *dnsmessage.Message) {
	end, ok := w.aliases(m.Answers)
	if !ok {
		return
	}
	ttl := w.ttl
	for i := range m.Answers {
		r := &m.Answers[i]
		if nameOf(r.Header.Name) == nameOf(end) && r.Header.Type == w.q.question.Type && r.Header.Class == dnsmessage.ClassINET && r.Header.Type != dnsmessage.TypeCNAME {
			w.record(end, r, min(ttl, r.Header.TTL))
		}
	}
	if len(w.answer.Addrs) == 0 && len(w.answer.Removed) > 0 {
		w.out.Answers = nil
	}
	if len(w.out.Answers) == 0 {
		w.negative(m)
	}
	if w.answer.Reason != "" {
		w.q.explain(w.out, w.answer.Reason)
	}
}

// aliases follows the chain from the name that was asked for, and returns its
// end. It is not ok if a rule refuses a name of the chain.
func (w *answerWriter) aliases(answers []dnsmessage.Resource) (end dnsmessage.Name, ok bool) {
	end = w.q.question.Name
	name, seen := w.q.Name, []string{w.q.Name}
	for range maxChain {
		i := slices.IndexFunc(answers, func(r dnsmessage.Resource) bool {
			return r.Header.Type == dnsmessage.TypeCNAME && r.Header.Class == dnsmessage.ClassINET && nameOf(r.Header.Name) == name
		})
		if i < 0 {
			break
		}
		alias := answers[i].Body.(*dnsmessage.CNAMEResource)
		name = nameOf(alias.CNAME)
		if slices.Contains(seen, name) {
			break
		}
		seen = append(seen, name)
		if no := w.rules.refusesAlias(w.q.Name, name); no != nil {
			w.answer.Reason = fmt.Sprintf("%s is an alias of %s: %s", w.q.Name, name, no.reason)
			w.out = w.q.answer(dnsmessage.RCodeNameError)
			w.q.explain(w.out, w.answer.Reason)
			return end, false
		}
		w.ttl = min(w.ttl, answers[i].Header.TTL)
		w.out.Answers = append(w.out.Answers, w.q.record(end, w.ttl, alias))
		end = alias.CNAME
		if w.q.question.Type == dnsmessage.TypeCNAME {
			break
		}
	}
	return end, true
}

// record takes one of the records that were asked for, or not.
func (w *answerWriter) record(owner dnsmessage.Name, r *dnsmessage.Resource, ttl uint32) {
	switch body := r.Body.(type) {
	case *dnsmessage.AResource:
		w.address(owner, netip.AddrFrom4(body.A), ttl, body)
	case *dnsmessage.AAAAResource:
		w.address(owner, netip.AddrFrom16(body.AAAA), ttl, body)
	case *dnsmessage.HTTPSResource:
		w.service(owner, &body.SVCBResource, ttl, body)
	case *dnsmessage.SVCBResource:
		w.service(owner, body, ttl, body)
	default:
		w.out.Answers = append(w.out.Answers, w.q.record(owner, ttl, body))
	}
}

// address takes an address, if the name may lead there.
func (w *answerWriter) address(owner dnsmessage.Name, a netip.Addr, ttl uint32, body dnsmessage.ResourceBody) {
	bare := a.Unmap()
	switch {
	case slices.Contains(w.answer.Addrs, bare):
	case !w.rules.reaches(bare, w.q.Name, pinned):
		w.remove(bare, w.why(bare))
	case len(w.answer.Addrs) == maxAddresses:
		w.remove(bare, fmt.Sprintf("%s has more than %d addresses", w.q.Name, maxAddresses))
	case !w.p.pins.add(w.now, bare, w.q.Name, w.now.Add(pinFor(ttl))):
		w.remove(bare, "too many names are remembered")
	default:
		w.answer.Addrs = append(w.answer.Addrs, bare)
		w.out.Answers = append(w.out.Answers, w.q.record(owner, ttl, body))
	}
}

// why says why a name must not lead to an address.
func (w *answerWriter) why(a netip.Addr) string {
	s := w.rules.special.look(a)
	if s.class == public {
		return fmt.Sprintf("no rule lets %s lead to %v", w.q.Name, a)
	}
	return fmt.Sprintf("%s leads to %v, which is %s", w.q.Name, a, s.what)
}

func (w *answerWriter) remove(a netip.Addr, reason string) {
	w.answer.Removed = append(w.answer.Removed, a)
	w.answer.Reason = reason
}

// pinFor is how long an address is a name's.
func pinFor(ttl uint32) time.Duration {
	return min(max(time.Duration(ttl)*time.Second, minPin), maxPin) + grace
}

// kept are the parameters of a service that say nothing of addresses or keys.
var kept = []dnsmessage.SVCParamKey{
	dnsmessage.SVCParamMandatory, dnsmessage.SVCParamALPN, dnsmessage.SVCParamNoDefaultALPN,
	dnsmessage.SVCParamPort, dnsmessage.SVCParamTLSSupportedGroups,
}

// service takes an HTTPS or SVCB record, RFC 9460, if it is about the name itself.
// One that leads to another host is left out, as is one that an alias leads to:
// the program goes by the addresses of the name instead.
func (w *answerWriter) service(owner dnsmessage.Name, r *dnsmessage.SVCBResource, ttl uint32, body dnsmessage.ResourceBody) {
	target := nameOf(r.Target)
	if r.Priority == 0 || nameOf(owner) != w.q.Name || target != "" && target != withoutService(w.q.Name) {
		w.answer.Reason = "a service at another name is left out"
		return
	}
	for _, p := range r.Params {
		// What is mandatory cannot be left out (RFC 9460 8).
		if p.Key == dnsmessage.SVCParamMandatory && !allKept(p.Value) {
			w.answer.Reason = "a service that must have its addresses or keys is left out"
			return
		}
	}
	r.Params = slices.DeleteFunc(r.Params, func(p dnsmessage.SVCParam) bool { return !slices.Contains(kept, p.Key) })
	w.out.Answers = append(w.out.Answers, w.q.record(owner, ttl, body))
}

func allKept(keys []byte) bool {
	for ; len(keys) >= 2; keys = keys[2:] {
		if !slices.Contains(kept, dnsmessage.SVCParamKey(keys[0])<<8|dnsmessage.SVCParamKey(keys[1])) {
			return false
		}
	}
	return true
}

// negative gives the program what tells how long there is no such thing (RFC
// 2308).
func (w *answerWriter) negative(m *dnsmessage.Message) {
	for _, r := range m.Authorities {
		if soa, ok := r.Body.(*dnsmessage.SOAResource); ok && r.Header.Class == dnsmessage.ClassINET {
			w.out.Authorities = []dnsmessage.Resource{w.q.record(r.Header.Name, r.Header.TTL, soa)}
			return
		}
	}
}
