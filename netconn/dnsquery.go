package netconn

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxAnswer is the size of UDP answers that are asked for (RFC 6891): what fits
// into the smallest IPv6 packet.
const maxAnswer = 1232

// question is one question in the form it is sent in.
type question struct {
	dnsmessage.Question
	id     uint16
	packed []byte // with two bytes before it for the length, which TCP needs
}

// newQuestion makes a question with a random identifier, which together with
// the socket's random port is what a forger would have to guess (RFC 5452).
// An error means that the name is none.
func newQuestion(name string, t dnsmessage.Type) (*question, error) {
	n, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, err
	}
	q := &question{
		Question: dnsmessage.Question{Name: n, Type: t, Class: dnsmessage.ClassINET},
		id:       uint16(rand.Uint32()),
	}
	b := dnsmessage.NewBuilder(make([]byte, 2, 514), dnsmessage.Header{ID: q.id, RecursionDesired: true})
	var edns dnsmessage.ResourceHeader
	err = errors.Join(
		b.StartQuestions(), b.Question(q.Question), b.StartAdditionals(),
		edns.SetEDNS0(maxAnswer, dnsmessage.RCodeSuccess, false), b.OPTResource(edns, dnsmessage.OPTResource{}))
	if err != nil {
		return nil, err
	}
	if q.packed, err = b.Finish(); err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint16(q.packed, uint16(len(q.packed)-2))
	return q, nil
}

// exchange asks one server, over TCP if its answer does not fit into UDP.
func (r *DNS) exchange(ctx context.Context, q *question, server netip.AddrPort) (addrs []netip.Addr, alias string, err error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	for _, network := range []string{"udp", "tcp"} {
		within, cancel := context.WithTimeout(ctx, timeout)
		var truncated bool
		addrs, alias, truncated, err = r.over(within, network, q, server)
		cancel()
		if !truncated || err != nil {
			break
		}
	}
	if ended := ctx.Err(); err != nil && ended != nil {
		err = ended
	}
	return addrs, alias, err
}

// over asks one server over one network.
func (r *DNS) over(ctx context.Context, network string, q *question, server netip.AddrPort) ([]netip.Addr, string, bool, error) {
	d := Dialer{Provider: r.Provider}
	c, err := d.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, "", false, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if network == "tcp" {
		return q.overStream(c)
	}
	return q.overDatagrams(c)
}

// overDatagrams waits for the answer to its question: others are not from whom
// was asked, or late.
func (q *question) overDatagrams(c net.Conn) ([]netip.Addr, string, bool, error) {
	if _, err := c.Write(q.packed[2:]); err != nil {
		return nil, "", false, err
	}
	b := make([]byte, maxAnswer)
	for {
		n, err := c.Read(b)
		if err != nil {
			return nil, "", false, err
		}
		var p dnsmessage.Parser
		header, err := p.Start(b[:n])
		if err != nil || !q.isAnswered(&p, header) {
			continue
		}
		if header.Truncated {
			return nil, "", true, nil
		}
		addrs, alias, err := q.read(&p, header)
		return addrs, alias, false, err
	}
}

func (q *question) overStream(c net.Conn) ([]netip.Addr, string, bool, error) {
	if _, err := c.Write(q.packed); err != nil {
		return nil, "", false, err
	}
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return nil, "", false, err
	}
	b := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, "", false, err
	}
	var p dnsmessage.Parser
	header, err := p.Start(b)
	if err != nil || !q.isAnswered(&p, header) {
		return nil, "", false, errCannotParse
	}
	addrs, alias, err := q.read(&p, header)
	return addrs, alias, false, err
}

// isAnswered tells whether a message is a response to the question.
func (q *question) isAnswered(p *dnsmessage.Parser, h dnsmessage.Header) bool {
	if !h.Response || h.ID != q.id {
		return false
	}
	asked, err := p.Question()
	return err == nil && asked.Type == q.Type && asked.Class == q.Class && sameName(asked.Name, q.Name)
}

func sameName(a, b dnsmessage.Name) bool { return strings.EqualFold(a.String(), b.String()) }

// read takes the addresses from an answer: those of the name, or of the alias
// that CNAME records, in any order, lead to. If that has none it is returned.
func (q *question) read(p *dnsmessage.Parser, h dnsmessage.Header) (addrs []netip.Addr, alias string, err error) {
	switch {
	case h.RCode == dnsmessage.RCodeNameError:
		return nil, "", errNoSuchHost
	case h.RCode != dnsmessage.RCodeSuccess:
		return nil, "", errMisbehaving
	}
	if err := p.SkipAllQuestions(); err != nil {
		return nil, "", errCannotParse
	}
	answers, err := p.AllAnswers()
	if err != nil {
		return nil, "", errCannotParse
	}
	if len(answers) == 0 && !h.Authoritative && !h.RecursionAvailable {
		return nil, "", errLameReferral
	}
	name := q.Name
	for range maxAliases {
		next := name
		for _, a := range answers {
			if !sameName(a.Header.Name, name) || a.Header.Type != q.Type && a.Header.Type != dnsmessage.TypeCNAME {
				continue
			}
			switch body := a.Body.(type) {
			case *dnsmessage.AResource:
				addrs = append(addrs, netip.AddrFrom4(body.A))
			case *dnsmessage.AAAAResource:
				addrs = append(addrs, netip.AddrFrom16(body.AAAA))
			case *dnsmessage.CNAMEResource:
				next = body.CNAME
			}
		}
		if len(addrs) > 0 {
			return addrs, "", nil
		}
		if next == name {
			break
		}
		name = next
	}
	if sameName(name, q.Name) {
		return nil, "", errNoSuchHost
	}
	return nil, name.String(), nil
}
