package judge

import (
	"slices"
	"strings"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// accepted is a difference that berth has on purpose.
type accepted struct {
	name   string
	reason string
	is     func(m *moment) bool
	leave  leave // what is left out from here on; nothing: the comparison ends
}

var allAccepted = []accepted{
	{
		"no ACK bit",
		"A segment without ACK, SYN and RST that lies outside the window is answered with an acknowledgment, as RFC 9293 3.10.7.4 has it: the sequence number is looked at first. Linux drops it unseen.",
		func(m *moment) bool {
			return m.has(0, header.ACK|header.SYN|header.RST) && m.answers() && len(m.linux[m.Step].Sent) == 0
		},
		leave{},
	},
	{
		"SYN with FIN",
		"A SYN with FIN opens nothing in any state. Linux ignores it in LISTEN and takes it for a SYN elsewhere.",
		func(m *moment) bool { return m.has(header.SYN|header.FIN, 0) },
		leave{},
	},
	{
		"answers in SYN-RECEIVED",
		"What comes while a peer opens a connection is judged by RFC 9293 3.10.7.4 in its order, the sequence number before the acknowledgment. Linux has only a request by then, looks at the acknowledgment first, and drops what echoes another timestamp than that of its SYN,ACK.",
		func(m *moment) bool { return m.opening() && m.segment() != nil },
		leave{},
	},
	{
		"simultaneous open",
		"In SYN-RECEIVED after both sides have sent a SYN, berth offers with its SYN,ACK what the peer's SYN did (RFC 7323 1.3), takes the peer's SYN,ACK for its acknowledgment, and reports no duplicates. Linux repeats what its own SYN offered, answers the SYN,ACK once more, and gives ECONNRESET for a reset where RFC 9293 3.10.7.4 has the connection refused.",
		func(m *moment) bool {
			return m.s.active && slices.ContainsFunc(m.berth[:m.Step+1], func(o Observation) bool { return o.State == socket.TCP_SYN_RECV })
		},
		leave{},
	},
	{
		"which timestamp is echoed",
		"A segment at the left edge counts for the timestamp that is echoed (RFC 7323 4.3), unless its acknowledgment is not acceptable. Whether Linux counts one that is not what comes next, or whose acknowledgment is old, depends on whether its header was predicted. Besides, where the edge is depends on when the last acknowledgment went.",
		func(m *moment) bool {
			return m.same(leave{echo: true}) && (m.finished() || m.earlier((*segment).odd) || m.apart())
		},
		leave{echo: true},
	},
	{
		"data behind a FIN",
		"What a peer sends behind its FIN is no data. That Linux holds it shows in its SACK blocks; of those a FIN out of order is one for berth, too, but by itself.",
		func(m *moment) bool { return m.same(leave{sack: true}) && m.finished() },
		leave{sack: true},
	},
	{
		"answers to data behind a FIN",
		"Linux resets a connection whose peer sends data behind its FIN in a segment that begins before it, and acknowledges it in TIME-WAIT, but not always. berth passes over it, or acknowledges it (RFC 9293 3.10.7.4: this should not occur, ignore the segment text).",
		func(m *moment) bool {
			if m.has(header.FIN, 0) && m.What == "state" {
				return m.earlier(func(s *segment) bool { return s.off > 0 }) // data behind it came before
			}
			return m.finished() && m.segment() != nil && (resets(&m.linux[m.Step]) || len(m.berth[m.Step].Sent) == 0 || m.onlyAnswers())
		},
		leave{},
	},
	{
		"answers in TIME-WAIT",
		"What comes in TIME-WAIT is judged as RFC 9293 3.10.7.4 has it, an acknowledgment of what was never sent included. Linux has only a remainder of the connection by then, and looks at less.",
		func(m *moment) bool {
			return m.segment() != nil && m.What == "sent" && m.Step > 0 && m.berth[m.Step-1].State == socket.TCP_CLOSE
		},
		leave{},
	},
	{
		"abort in TIME-WAIT",
		"close() with SO_LINGER and no time to linger ends TIME-WAIT, too (RFC 9293 3.10.5); on Linux it goes on.",
		func(m *moment) bool {
			return m.segment() != nil && slices.ContainsFunc(m.s.steps[:m.Step], func(s Step) bool {
				c, ok := s.(onSocket)
				return ok && strings.Contains(c.name, "SO_LINGER")
			})
		},
		leave{},
	},
	{
		"shutting down what is gone",
		"shutdown() of a socket without a connection gives ENOTCONN and does no more; on Linux the end of the stream can be read after it.",
		func(m *moment) bool {
			c, ok := m.step.(onSocket)
			return ok && strings.HasPrefix(c.name, "shutdown") && m.berth[m.Step].State == socket.TCP_CLOSE && m.What == "events"
		},
		leave{},
	},
	{
		"unacceptable acknowledgment with data",
		"A segment whose acknowledgment is not acceptable is dropped (RFC 5961 5.2). Linux takes its data if its header was predicted.",
		func(m *moment) bool {
			bad := func(s *segment) bool { return s.length > 0 && s.flags.Has(header.ACK) && s.ackOff < 0 }
			return m.earlier(bad) && (m.What == "sent" || m.linux[m.Step].Events&^m.berth[m.Step].Events == socket.POLLIN)
		},
		leave{},
	},
	{
		"data in a SYN,ACK",
		"Data in a SYN,ACK is taken (RFC 9293 3.10.7.3); Linux leaves it to be sent again.",
		func(m *moment) bool {
			s := m.segment()
			return m.has(header.SYN|header.ACK, 0) && s.length > 0 && m.s.active
		},
		leave{},
	},
	{
		"RST behind a hole",
		"A reset that does not have the number that comes next is challenged (RFC 5961 3.2). Linux also believes one that follows the last of what came out of order.",
		func(m *moment) bool {
			return m.has(header.RST, 0) && slices.ContainsFunc(m.linux[:m.Step+1], func(o Observation) bool {
				return slices.ContainsFunc(o.Sent, func(p Packet) bool { return len(p.SACK) > 0 })
			})
		},
		leave{},
	},
	{
		"number of an acknowledgment",
		"An acknowledgment has SND.NXT (RFC 9293 3.10.7.4); that of Linux has the edge of the peer's window, if what was sent is beyond it.",
		func(m *moment) bool {
			x, y := m.berth[m.Step].Sent, m.linux[m.Step].Sent
			return m.What == "sent" && len(x) == 1 && len(y) == 1 && x[0].pure() && y[0].pure() && x[0].Ack == y[0].Ack && y[0].Seq < x[0].Seq
		},
		leave{},
	},
	{
		"right edge of the window",
		"A segment is cut at the right edge, and a number at the edge is outside (RFC 9293 3.10.7.4, Table 6). Linux keeps the whole of a segment that begins within, and calls the edge inside.",
		func(m *moment) bool { s := m.segment(); return s != nil && s.seq == edge },
		leave{},
	},
	{
		"left edge of the window",
		"The window begins at RCV.NXT (RFC 9293 3.10.7.4, Table 6). Linux takes one that begins at what it has acknowledged on the wire, and a segment that ends there for inside.",
		func(m *moment) bool {
			s := m.segment()
			return s != nil && (s.off < 0 || s.seq != next) && (m.onlyAnswers() || m.What == "state")
		},
		leave{},
	},
	{
		"window taken back",
		"A window that is offered again, with the same numbers, is taken as it is (RFC 9293 3.10.7.4: SND.WL1 and SND.WL2); Linux takes only a larger one.",
		func(m *moment) bool {
			return m.What == "sent" && !m.onlyAnswers() && m.earlier(func(s *segment) bool { return s.window < 60000 })
		},
		leave{},
	},
	{
		"connecting again",
		"A stream socket has one connection: connect() on one that has or had it gives how that went. On Linux it may connect again after the first was given up, and says EISCONN once the socket was shut down or accepted.",
		func(m *moment) bool {
			c, ok := m.step.(onSocket)
			return ok && c.name == "connect()"
		},
		leave{},
	},
	{
		"RST with data",
		"A reset is judged by its sequence number alone; to Linux one with data is in the window if the data is.",
		func(m *moment) bool { s := m.segment(); return s != nil && s.flags.Has(header.RST) && s.length > 0 },
		leave{},
	},
	{
		"limit of answers",
		"What carries no data is answered once in half a second, so that two hosts cannot keep each other busy. What counts differs with the edges of the window, and for Linux the count begins anew after SYN-RECEIVED: so of later ones one host answers another than the other does.",
		func(m *moment) bool {
			s := m.segment()
			silent := len(m.berth[m.Step].Sent) == 0 || len(m.linux[m.Step].Sent) == 0
			return s != nil && silent && m.onlyAnswers() && (s.length == 0 || s.flags&(header.SYN|header.RST) != 0) &&
				m.before(func(s *segment) bool { return s.odd() || s.flags&header.ACK == 0 })
		},
		leave{},
	},
	{
		"room for SACK blocks",
		"While there is something to report, segments leave room for all the blocks that may have to be reported, so that what is resent has the same length; Linux for those that there are.",
		func(m *moment) bool {
			x, y := m.berth[m.Step].Sent, m.linux[m.Step].Sent
			return m.What == "sent" && len(x) > 0 && len(y) > 0 && len(x[0].SACK) > 0 && x[0].Len > 0 && x[0].Seq == y[0].Seq
		},
		leave{},
	},
	{
		"MSG_MORE and TCP_CORK",
		"What MSG_MORE holds goes with the next write, with an acknowledgment of something new, or after 200 ms; what TCP_CORK holds, after that time. Linux also lets the former go with other segments, by whether their headers were predicted, and both after a retransmission time-out.",
		func(m *moment) bool {
			return m.What == "sent" && slices.ContainsFunc(m.s.steps[:m.Step], func(s Step) bool {
				c, ok := s.(onSocket)
				_, waits := m.step.(wait)
				return ok && (strings.Contains(c.name, "MSG_MORE") || waits && strings.Contains(c.name, "TCP_CORK"))
			})
		},
		leave{},
	},
	{
		"congestion window in bytes",
		"berth counts the congestion window in bytes, and halves what is in flight after a loss (RFC 5681); Linux counts segments of whatever length, and halves the window though it was not full. Where it is the limit they differ.",
		func(m *moment) bool {
			x, y := m.berth[m.Step].spoken(leave{echo: true}), m.linux[m.Step].spoken(leave{echo: true})
			return m.What == "sent" && (m.lost() || m.inFlight() >= 9) && (len(x) > len(y) && slices.Equal(x[:len(y)], y) || len(y) > len(x) && slices.Equal(y[:len(x)], x))
		},
		leave{},
	},
	{
		"form of a reset",
		"A reset that ends a connection, since nobody will read what came, has the number that comes next and an acknowledgment. Linux answers the segment, with the number that it acknowledges.",
		func(m *moment) bool {
			return m.What == "sent" && resets(&m.berth[m.Step]) && resets(&m.linux[m.Step])
		},
		leave{},
	},
	{
		"FIN beyond the congestion window",
		"A FIN without data goes though the congestion window is full: it adds no more to a queue than an acknowledgment does.",
		func(m *moment) bool {
			x, y := m.berth[m.Step].spoken(leave{}), m.linux[m.Step].spoken(leave{})
			return m.What == "sent" && len(x) == 1 && len(y) == 0 && strings.HasPrefix(x[0], "F.") && strings.Contains(x[0], "(0)")
		},
		leave{},
	},
}

// acceptedAs is the accepted difference that a difference is, or nil.
func acceptedAs(m *moment) *accepted {
	for i := range allAccepted {
		if allAccepted[i].is(m) {
			return &allAccepted[i]
		}
	}
	return nil
}

// A moment is where two hosts differ.
type moment struct {
	*Difference
	s            *Schedule
	step         Step
	berth, linux []Observation
}

// segment is the one that came in, or nil.
func (m *moment) segment() *segment {
	s, _ := m.step.(*segment)
	return s
}

// has tells whether a segment came in that has all of some flags and none of
// others.
func (m *moment) has(all, none header.TCPFlags) bool {
	s := m.segment()
	return s != nil && s.flags.Has(all) && s.flags&none == 0
}

// answers tells whether berth has sent an acknowledgment in this step, and
// nothing else.
func (m *moment) answers() bool {
	sent := m.berth[m.Step].Sent
	for i := range sent {
		if !sent[i].pure() {
			return false
		}
	}
	return len(sent) > 0
}

// opening tells whether the connection is one that a peer opens, and not yet
// there for both hosts.
func (m *moment) opening() bool {
	i := max(0, m.Step-1)
	return !m.s.active && m.berth[i].State == 0 && (m.berth[i].Events == 0 || m.linux[i].Events == 0)
}

// same tells whether both say the same if something is left out.
func (m *moment) same(out leave) bool {
	return m.What == "sent" && differ(m.step, newRun(m.berth), newRun(m.linux), m.Step, out) == nil
}

// onlyAnswers tells whether the hosts differ only in acknowledgments.
func (m *moment) onlyAnswers() bool {
	return m.What == "sent" && slices.Equal(m.berth[m.Step].spoken(leave{}), m.linux[m.Step].spoken(leave{}))
}

// earlier tells whether such a segment has come in, in this step or before.
func (m *moment) earlier(is func(*segment) bool) bool { return came(m.s.steps[:m.Step], is) }

// before tells whether such a segment has come in before this step.
func (m *moment) before(is func(*segment) bool) bool { return came(m.s.steps[:max(0, m.Step-1)], is) }

func came(steps []Step, is func(*segment) bool) bool {
	for _, step := range steps {
		if s, ok := step.(*segment); ok && is(s) {
			return true
		}
	}
	return false
}

// apart tells whether at some time one had acknowledged what the other had not.
func (m *moment) apart() bool {
	return !slices.Equal(newRun(m.berth[:m.Step]).acked, newRun(m.linux[:m.Step]).acked)
}

// finished tells whether the peer has sent a FIN.
func (m *moment) finished() bool {
	return m.earlier(func(s *segment) bool { return s.flags.Has(header.FIN) })
}

// lost tells whether Linux has sent something again.
func (m *moment) lost() bool {
	for i := range m.linux[:m.Step+1] {
		if slices.ContainsFunc(m.linux[i].Sent, func(p Packet) bool { return p.Again }) {
			return true
		}
	}
	return false
}

// inFlight is how many segments of data Linux has sent.
func (m *moment) inFlight() (n int) {
	for i := range m.linux[:m.Step+1] {
		for k := range m.linux[i].Sent {
			if m.linux[i].Sent[k].Len > 0 {
				n++
			}
		}
	}
	return n
}

// odd tells whether a segment is anything but what comes next and acknowledges all.
func (s *segment) odd() bool {
	return s.seq != next || s.off != 0 || s.ack != next || s.ackOff != 0
}

// resets tells whether a reset is all that a host has sent.
func resets(o *Observation) bool {
	return len(o.Sent) == 1 && o.Sent[0].Flags.Has(header.RST)
}
