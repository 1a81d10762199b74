package judge

import (
	"math/rand/v2"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// A Schedule is what happens to a host: a value, so that it can be played again,
// elsewhere, and with steps left out.
type Schedule struct {
	// Seed is what it was made from.
	Seed   uint64
	ipv6   bool
	active bool // the host connects, or else listens
	syn    synOptions
	steps  []Step
}

// Len is the number of steps.
func (s *Schedule) Len() int { return len(s.steps) }

// only is the schedule with some of its steps.
func (s *Schedule) only(steps []Step) *Schedule {
	few := *s
	few.steps = steps
	return &few
}

// generator makes schedules.
type generator struct{ *rand.Rand }

// Generate makes the schedule of a seed.
func Generate(seed uint64) *Schedule {
	g := generator{rand.New(rand.NewPCG(seed, 0x6a75646765))}
	s := &Schedule{Seed: seed, ipv6: g.chance(35), active: g.chance(40), syn: g.synOptions()}
	s.steps = g.opening(s.active)
	for range 4 + g.IntN(20) {
		s.steps = append(s.steps, g.step())
	}
	return s
}

// chance is true so many times in a hundred.
func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) synOptions() synOptions {
	return synOptions{
		mss:    pick(g, 0, 536, 1000, 1460, 1460, 1460, 9000),
		wscale: pick(g, -1, -1, 0, 2, 7, 14),
		sack:   g.chance(70),
		ts:     g.chance(60),
	}
}

// roundTrip is what the handshake takes: enough that no timer that follows from
// it passes during the steps that come at once.
const roundTrip = 20 * time.Millisecond

// opening leads to an established connection, mostly.
func (g generator) opening(active bool) []Step {
	var s []Step
	astray := func() {
		for g.chance(12) {
			s = append(s, g.early(active))
		}
	}
	astray()
	syn := &segment{flags: header.SYN, window: 60000, seq: origin}
	ack := &segment{flags: header.ACK, window: 60000}
	if !active {
		s = append(s, syn, wait{roundTrip})
		astray()
		return append(s, ack, accept{})
	}
	s = append(s, wait{roundTrip})
	if g.chance(8) { // both at once
		s = append(s, syn)
		astray()
		if g.chance(50) {
			return append(s, ack)
		}
	}
	return append(s, &segment{flags: header.SYN | header.ACK, window: 60000, seq: origin})
}

// early is what comes before the connection is there.
func (g generator) early(active bool) Step {
	if active && g.chance(25) {
		return pick[Step](g, send(10, 0), recv(10, 0), shutdown(socket.SHUT_WR), shutdown(socket.SHUT_RD), soError(), connectAgain(), names())
	}
	if g.chance(10) {
		return g.icmpError()
	}
	s := &segment{
		flags:  pick(g, header.SYN, header.ACK, header.RST, header.RST|header.ACK, header.SYN|header.ACK, header.FIN, header.FIN|header.ACK, 0, header.SYN|header.FIN, header.SYN|header.RST),
		ackOff: pick(g, 0, 0, 0, 1, -1, 1000), off: pick(g, 0, 0, 0, 1, -1, 70000),
		window: pick(g, 60000, 60000, 0), length: pick(g, 0, 0, 0, 10), ts: pick(g, tsGood, tsGood, tsGood, tsOld, tsWrong, tsAbsent),
		corrupt: g.chance(5),
	}
	return s
}

// step is one of those on a connection.
func (g generator) step() Step {
	switch n := g.IntN(100); {
	case n < 23:
		return g.data()
	case n < 26:
		f := g.data()
		f.flags |= header.URG
		f.urgent = pick(g, 1, 5, f.length, f.length, f.length+1, f.length+500, 0, 65535)
		f.off = pick(g, 0, 0, 0, 0, -1, -100, 100)
		return f
	case n < 36:
		return g.ackOnly()
	case n < 52:
		return g.odd()
	case n < 57:
		f := g.data()
		f.flags |= header.FIN
		f.length = pick(g, 0, 0, 10)
		return f
	case n < 74:
		return g.io()
	case n < 80:
		return pick(g, shutdown(socket.SHUT_WR), shutdown(socket.SHUT_WR), shutdown(socket.SHUT_RD), shutdown(socket.SHUT_RDWR),
			closing(false), closing(false), closing(true))
	case n < 87:
		return g.option()
	case n < 90:
		return pick(g, soError(), names(), connectAgain(), Step(accept{}))
	case n < 92:
		return g.icmpError()
	case n < 98:
		return wait{50 * time.Millisecond}
	}
	return wait{settled}
}

// data is what a good peer sends.
func (g generator) data() *segment {
	return &segment{
		flags:  header.ACK | pick(g, 0, header.PSH),
		ack:    pick(g, next, next, told),
		length: pick(g, 1, 10, 100, 500, 536, 1000),
		window: g.window(),
	}
}

func (g generator) window() int {
	if g.chance(85) {
		return 60000
	}
	return pick(g, 0, 1, 100, 2000, 65535)
}

// ackOnly acknowledges all there is, or a part.
func (g generator) ackOnly() Step {
	s := &segment{flags: header.ACK, ack: pick(g, next, next, told, told), ackOff: pick(g, 0, 0, 0, 1, 100, 1000), window: g.window()}
	if s.ack == next {
		s.ackOff = -s.ackOff
	}
	if g.chance(30) {
		at := pick(g, 1, 100, 536, 1000, 1460)
		s.sack = append(s.sack, [2]int{at, at + pick(g, 1, 100, 536, 1000, 1460)})
	}
	return s
}

// odd is what a bad peer sends, or a bad network.
func (g generator) odd() Step {
	s := g.data()
	s.length = pick(g, 0, 0, s.length)
	s.flags = pick(g, s.flags, s.flags, s.flags, s.flags, s.flags, s.flags, header.RST, header.RST|header.ACK, header.SYN, header.SYN|header.ACK,
		header.FIN|header.ACK, 0, header.FIN, header.SYN|header.FIN, header.FIN|header.PSH|header.URG, header.ACK|header.SYN|header.RST)
	s.seq = pick(g, next, next, next, edge, origin)
	s.off = pick(g, 0, 0, 1, -1, 10, -10, 100, 500, 1000, -500, 2000, -2000, 100000, 1<<30)
	if s.seq == edge { // which numbers tell only near it: windows differ
		s.off %= edgeRange
	}
	s.ackOff = pick(g, 0, 0, 0, 1, -1, -100, 1000, 100000, -100000, 1<<30)
	s.ts = tsKind(g.IntN(int(tsKinds)))
	if g.chance(60) {
		s.ts = tsGood
	}
	s.corrupt = g.chance(5)
	return s
}

// io is a read or a write.
func (g generator) io() Step {
	if g.chance(12) {
		return pick(g, atMark(), recv(1, socket.MSG_OOB), recv(1, socket.MSG_OOB|socket.MSG_PEEK), recv(10, socket.MSG_TRUNC),
			send(1, socket.MSG_OOB), send(pick(g, 10, 2000), socket.MSG_OOB))
	}
	if g.chance(60) {
		return send(pick(g, 1, 10, 100, 536, 1000, 1460, 3000, 5000), pick(g, 0, 0, 0, 0, 0, 0, 0, socket.MSG_MORE))
	}
	return recv(pick(g, 1, 10, 100, 1000, 10000), pick(g, 0, 0, 0, socket.MSG_PEEK))
}

func (g generator) option() Step {
	on := g.IntN(2)
	return pick(g,
		set("TCP_NODELAY", socket.TCP_NODELAY, on), set("TCP_CORK", socket.TCP_CORK, on),
		set("SO_KEEPALIVE", socket.SO_KEEPALIVE, on), set("SO_RCVLOWAT", socket.SO_RCVLOWAT, pick(g, 1, 50, 500)),
		set("TCP_QUICKACK", socket.TCP_QUICKACK, on), set("SO_OOBINLINE", socket.SO_OOBINLINE, on),
		set("TCP_USER_TIMEOUT", socket.TCP_USER_TIMEOUT, 100000*on), set("TCP_NOTSENT_LOWAT", socket.TCP_NOTSENT_LOWAT, 100000*on),
	)
}

// settled is a wait after which what may be delayed has been said: an
// acknowledgment, and the first time-outs of retransmission.
const settled = 400 * time.Millisecond
