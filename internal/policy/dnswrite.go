package policy

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// Of extended errors, RFC 8914.
const (
	optionEDE  = 15
	edeBlocked = 15
	maxEDE     = 200 // of its text
)

// edns is the record that says that berth knows EDNS, with options.
func edns(options []dnsmessage.Option) dnsmessage.Resource {
	var h dnsmessage.ResourceHeader
	_ = h.SetEDNS0(askedUDP, dnsmessage.RCodeSuccess, false) // never fails
	return dnsmessage.Resource{Header: h, Body: &dnsmessage.OPTResource{Options: options}}
}

// answer is the beginning of an answer to the question.
func (q *Query) answer(code dnsmessage.RCode) *dnsmessage.Message {
	m := &dnsmessage.Message{Header: dnsmessage.Header{
		ID: q.head.ID, Response: true, OpCode: q.head.OpCode,
		RecursionDesired: q.head.RecursionDesired, RecursionAvailable: true, RCode: code,
	}}
	if q.question.Name.Length > 0 {
		m.Questions = []dnsmessage.Question{q.question}
	}
	if q.edns {
		m.Additionals = []dnsmessage.Resource{edns(nil)}
	}
	return m
}

// blocked is an answer without records that says why.
func (q *Query) blocked(code dnsmessage.RCode, reason string) []byte {
	m := q.answer(code)
	q.explain(m, reason)
	return q.pack(m)
}

// explain puts an extended error into an answer, if the program can read it.
func (q *Query) explain(m *dnsmessage.Message, reason string) {
	if q.edns {
		text := binary.BigEndian.AppendUint16(nil, edeBlocked)
		text = append(text, reason[:min(len(reason), maxEDE)]...)
		m.Additionals = []dnsmessage.Resource{edns([]dnsmessage.Option{{Code: optionEDE, Data: text}})}
	}
}

// pack is an answer as bytes. One that is too long says so, and the program asks
// again over TCP.
func (q *Query) pack(m *dnsmessage.Message) []byte {
	b, err := m.Pack()
	if err == nil && len(b) <= q.limit {
		return b
	}
	m.Answers, m.Authorities = nil, nil
	if err != nil {
		m.RCode = dnsmessage.RCodeServerFailure
	} else {
		m.Truncated = true
	}
	b, _ = m.Pack() // a question that was unpacked can be packed
	return b
}

// record is one of an answer.
func (q *Query) record(owner dnsmessage.Name, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET, TTL: ttl}, Body: body}
}

// addressOf is an address as the body of a record, nil if it is of another type.
func addressOf(a netip.Addr, t dnsmessage.Type) dnsmessage.ResourceBody {
	switch {
	case a.Is4() && t == dnsmessage.TypeA:
		return &dnsmessage.AResource{A: a.As4()}
	case a.Is6() && t == dnsmessage.TypeAAAA:
		return &dnsmessage.AAAAResource{AAAA: a.As16()}
	}
	return nil
}
