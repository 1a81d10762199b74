package runner

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"time"

	"example.com/berth/internal/policy"
)

// How long a name server may take, and how often all of them are asked.
const (
	serverPatience = 2 * time.Second
	serverRounds   = 2
)

// resolver answers the program's questions as the policy has it.
type resolver struct {
	policy  *policy.Policy
	servers func() []netip.AddrPort
	tell    *teller
	local   bool // there is nothing to be asked: host-only
}

// answer implements gateway.Config.DNS.
func (r *resolver) answer(ctx context.Context, _ netip.AddrPort, question []byte, stream bool) []byte {
	now := time.Now()
	q := r.policy.Question(now, question, stream)
	if q == nil {
		return nil
	}
	id := r.tell.question(func(id uint64) policy.Event { return policy.QuestionEvent(now, id, q) }, q)
	switch {
	case q.Forward == nil:
		return q.Reply
	case r.local:
		return q.Fail()
	}
	for range serverRounds {
		for _, server := range r.servers() {
			if msg, err := exchange(ctx, server, q.Forward, stream); err == nil {
				now := time.Now()
				a := r.policy.Answer(now, q, msg)
				r.tell.answer(policy.AnswerEvent(now, id, q, a))
				return a.Reply
			}
			if ctx.Err() != nil {
				return nil
			}
		}
	}
	return q.Fail()
}

// exchange asks a name server of the machine's.
func exchange(ctx context.Context, server netip.AddrPort, question []byte, stream bool) ([]byte, error) {
	network := "udp"
	if stream {
		network = "tcp"
		question = append(binary.BigEndian.AppendUint16(nil, uint16(len(question))), question...)
	}
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if _, err := c.Write(question); err != nil {
		return nil, err
	}
	if stream {
		return readMessage(c)
	}
	for b := make([]byte, 1<<16); ; {
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		// The socket is connected; the identification tells late answers apart.
		if n > 2 && b[0] == question[0] && b[1] == question[1] {
			return b[:n], nil
		}
	}
}

// readMessage reads one with its length before it (RFC 1035 4.2.2).
func readMessage(c io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(c, b)
	return b, err
}
