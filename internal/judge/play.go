package judge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// tick is how long a step lasts. A host says what it has to say at once within it.
const tick = time.Millisecond

// An Observation is what was seen of a host in one step.
type Observation struct {
	// Result is what the call of the step gave.
	Result string
	// State is that of the connection, 0 if there is no socket of it.
	State socket.TCPState
	// Events are what Poll finds at the socket, the listening one if there is no
	// other.
	Events socket.Events
	// Sent is what the host has sent.
	Sent []Packet
}

// player is a schedule under way.
type player struct {
	World
	peer
	listener, sock socket.Socket
	closed         bool
	written        int // numbers of the host's user, the SYN included
	state          socket.TCPState
	shut           bool // the socket was shut down
	late           bool // some step has taken longer than it was to
	more           bool // the last write said that more follows
}

// Ports are those of one run, with the number of the peer's address: others for
// each, so that no run sees what is left of one before.
type Ports struct{ Host, Peer, Number uint16 }

// A LateError says that the machine was busy, and a timer may have fired that was
// not to: what was observed means nothing.
type LateError struct{}

func (LateError) Error() string { return "a step has taken longer than it was to" }

// slack is how much longer than it was to a step may take.
const slack = 5 * time.Millisecond

// sleep lets time pass.
func (p *player) sleep(d time.Duration) {
	start := time.Now()
	time.Sleep(d)
	p.late = p.late || time.Since(start) > d+slack
}

// Play plays a schedule and returns an observation for each step. The world is
// as it was afterwards, but for the time that has passed. With a LateError there
// are observations, too.
func Play(w World, s *Schedule, ports Ports) ([]Observation, error) {
	p := &player{World: w, written: 1}
	p.port, p.hostPort, p.syn = ports.Peer, ports.Host, s.syn
	p.local, p.remote = ends(s.ipv6, ports.Number%60000)
	w.Sent()
	result, err := p.open(s.active)
	if err != nil {
		return nil, err
	}
	defer p.end()
	all := make([]Observation, 0, len(s.steps)+1)
	all = append(all, p.observe(result))
	for _, step := range s.steps {
		all = append(all, p.observe(step.do(p)))
	}
	if p.late {
		return all, LateError{}
	}
	return all, nil
}

// open makes the socket, which listens or connects.
func (p *player) open(active bool) (string, error) {
	domain := socket.INET
	if p.local.Is6() {
		domain = socket.INET6
	}
	s, err := p.Socket(domain, socket.STREAM, 0)
	if err != nil {
		return "", err
	}
	for _, err := range []error{
		socket.Set(s, socket.SO_REUSEADDR, 1),
		socket.Set(s, socket.TCP_CONGESTION, "reno"), // which every host has
		s.SetNonblock(true), s.Bind(netip.AddrPortFrom(p.local, p.hostPort)),
	} {
		if err != nil {
			return "", errors.Join(err, s.Close())
		}
	}
	if active {
		p.sock = s
		return outcome(s.Connect(context.Background(), netip.AddrPortFrom(p.remote, p.port))), nil
	}
	p.listener = s
	return outcome(s.Listen(1)), nil
}

// observe lets the host come to rest and looks at it.
func (p *player) observe(result string) Observation {
	p.sleep(tick)
	o := Observation{Result: result}
	for _, b := range p.Sent() {
		if k, ok := p.parse(b); ok {
			p.see(&k)
			o.Sent = append(o.Sent, k)
		}
	}
	s := p.listener
	if p.sock != nil {
		s = p.sock
		if info, err := socket.Get(s, socket.TCP_INFO); err == nil {
			o.State, p.state = info.State, info.State
		}
	}
	if s != nil {
		fds := []socket.PollFD{{Socket: s, Events: socket.POLLIN | socket.POLLOUT | socket.POLLPRI | socket.POLLRDHUP}}
		if _, err := p.Poll(context.Background(), fds, 0); err == nil {
			o.Events = fds[0].Revents
		}
	}
	return o
}

// end leaves nothing behind: a reset makes sure that what the host still has of
// the connection goes.
func (p *player) end() {
	for _, s := range []socket.Socket{p.sock, p.listener} {
		if s != nil {
			_ = socket.Set(s, socket.SO_LINGER, socket.Linger{On: true})
			_ = s.Close()
		}
	}
	for range 2 {
		for _, b := range p.Sent() {
			if k, ok := p.parse(b); ok {
				p.see(&k)
			}
		}
		p.Inject(p.encode(&segment{flags: header.RST | header.ACK, seq: told}))
	}
}

// outcome names what a call gave.
func outcome(err error) string {
	var e syscall.Errno
	switch {
	case err == nil:
		return "0"
	case errors.As(err, &e):
		return errnoName(e)
	}
	return fmt.Sprintf("%T: %v", err, err)
}

// counted names what a call gave that gives a number.
func counted(n int, err error) string {
	if err != nil && n == 0 {
		return outcome(err)
	}
	if err != nil {
		return fmt.Sprintf("%d, %s", n, outcome(err))
	}
	return fmt.Sprint(n)
}

// errnoName is the constant's name where it is one of those that calls give, so
// that a listing reads as a manual page does.
func errnoName(e syscall.Errno) string {
	for name, x := range map[string]syscall.Errno{
		"EAGAIN": syscall.EAGAIN, "EPIPE": syscall.EPIPE, "ENOTCONN": syscall.ENOTCONN, "ECONNRESET": syscall.ECONNRESET,
		"ECONNREFUSED": syscall.ECONNREFUSED, "EINPROGRESS": syscall.EINPROGRESS, "EINVAL": syscall.EINVAL,
		"ETIMEDOUT": syscall.ETIMEDOUT, "EALREADY": syscall.EALREADY, "EISCONN": syscall.EISCONN,
		"EHOSTUNREACH": syscall.EHOSTUNREACH, "ENETUNREACH": syscall.ENETUNREACH, "EPROTO": syscall.EPROTO,
		"ENOPROTOOPT": syscall.ENOPROTOOPT, "EACCES": syscall.EACCES, "EMSGSIZE": syscall.EMSGSIZE, "EOPNOTSUPP": syscall.EOPNOTSUPP, "ECONNABORTED": syscall.ECONNABORTED, "EADDRINUSE": syscall.EADDRINUSE,
	} {
		if x == e {
			return name
		}
	}
	return e.Error()
}
