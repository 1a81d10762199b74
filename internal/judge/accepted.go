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
		"SYN-RECEIVED",
		"What comes while a peer opens a connection is judged by RFC 9293 3.10.7.4 in its order, the sequence number before the acknowledgment; in SYN-RECEIVED after both sides have sent a SYN, berth offers with its SYN,ACK what the peer's SYN did (RFC 7323 1.3), and takes the peer's SYN,ACK for its acknowledgment. Linux has only a request in the first case, looks at the acknowledgment first, and drops what echoes another timestamp than that of its SYN,ACK; in the second it repeats what its own SYN offered, and answers the SYN,ACK once more.",
		func(m *moment) bool { return m.opening() && m.segment() != nil || m.crossed() },
		leave{},
	},
	{
		"header prediction",
		"A segment at the left edge of the window counts for the timestamp that is echoed (RFC 7323 4.3), and one whose acknowledgment is not acceptable is dropped (RFC 5961 5.2: MUST). Where Linux has predicted the header it looks at neither, and takes the data. Besides, where the edge is depends on when the last acknowledgment went.",
		func(m *moment) bool {
			if m.same(leave{echo: true}) {
				return m.finished() || m.earlier((*segment).odd) || m.apart()
			}
			bad := func(s *segment) bool { return s.length > 0 && s.flags.Has(header.ACK) && s.ackOff < 0 }
			if m.earlier(bad) && (m.What == "sent" || m.What == "result" || m.linux[m.Step].Events&^m.berth[m.Step].Events == socket.POLLIN) {
				return true
			}
			return (m.What == "result" || m.What == "events") && m.apart() && m.earlier(func(s *segment) bool { return s.off < 0 })
		},
		leave{echo: true},
	},
	{
		"behind a FIN",
		"What a peer sends behind its FIN, urgent or not, is passed over (RFC 9293 3.10.7.4, sixth and seventh step: this should not occur, ignore it). Linux holds it where the FIN was out of order, which shows in its SACK blocks, resets the connection for a segment that begins before the FIN and goes beyond, and takes the urgent pointer. Of SACK blocks a FIN out of order is one for berth, too, but by itself.",
		func(m *moment) bool {
			switch {
			case !m.finished():
				return false
			case m.same(leave{sack: true}):
				return true
			case m.What == "state":
				return m.earlier(func(s *segment) bool { return s.off > 0 }) // data behind it came before
			case m.What == "events", m.What == "result":
				return m.berth[m.Step].State != socket.TCP_ESTABLISHED && m.earlier((*segment).urges)
			}
			return m.segment() != nil && (resets(&m.linux[m.Step]) || len(m.berth[m.Step].Sent) == 0 || m.onlyAnswers())
		},
		leave{sack: true},
	},
	{
		"urgent octet of a header",
		"The urgent octet is one of the stream (RFC 9293 3.8.5). Where it has not come, Linux takes a byte of the TCP header of a segment that begins a little behind it.",
		func(m *moment) bool {
			return m.earlier((*segment).urges) && (m.What == "result" || m.linux[m.Step].Events&^m.berth[m.Step].Events == socket.POLLPRI) &&
				m.earlier(func(s *segment) bool { return s.off > 0 || s.flags.Has(header.SYN) })
		},
		leave{},
	},
	{
		"path MTU of nothing in flight",
		"An ICMP error that speaks of a smaller MTU counts if it quotes something in flight (RFC 5927 7.2). Linux also believes one that quotes the number that comes next.",
		func(m *moment) bool {
			return m.What == "sent" && slices.ContainsFunc(m.s.steps[:m.Step], func(s Step) bool {
				e, ok := s.(*icmpError)
				return ok && e.mtu > 0
			})
		},
		leave{},
	},
	{
		"more in a SYN,ACK",
		"Data and FIN in a SYN,ACK are taken (RFC 9293 3.10.7.3, fourth step); Linux leaves them to be sent again.",
		func(m *moment) bool {
			s := m.segment()
			return m.s.active && m.has(header.SYN|header.ACK, 0) && (s.length > 0 || s.flags.Has(header.FIN))
		},
		leave{},
	},
	{
		"which number resets",
		"A reset that does not have the number that comes next is challenged (RFC 5961 3.2: MUST). Linux also believes one that follows the last of what came out of order, and behind the peer's FIN one that has the number of the FIN.",
		func(m *moment) bool {
			hole := slices.ContainsFunc(m.linux[:m.Step+1], func(o Observation) bool {
				return slices.ContainsFunc(o.Sent, func(p Packet) bool { return len(p.SACK) > 0 })
			})
			return m.has(header.RST, 0) && m.linux[m.Step].State == socket.TCP_CLOSE && (hole || m.finished() && m.segment().off == -1)
		},
		leave{},
	},
	{
		"small segments into a small window",
		"Less than a full segment, of more that waits, is sent if the window takes half of the largest window of the peer (RFC 9293 3.8.6.2.1, MUST-38). Linux sends it if it follows a full one, or if it was to be sent as it is.",
		func(m *moment) bool {
			return m.What == "sent" && !m.onlyAnswers() && m.earlier(func(s *segment) bool { return s.window < 60000 })
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
		"remainders",
		"What comes in TIME-WAIT, and in FIN-WAIT-2 once the socket is closed, is judged as RFC 9293 3.10.7.4 has it, an acknowledgment of what was never sent included. Linux has only a remainder of the connection by then, and looks at less.",
		func(m *moment) bool {
			return m.segment() != nil && m.What == "sent" && m.Step > 0 && (m.berth[m.Step-1].State == socket.TCP_CLOSE || m.closed() && m.onlyAnswers())
		},
		leave{},
	},
	{
		"tail loss probe",
		"What waits for an acknowledgment goes as a probe after two round trips (RFC 8985 7.2); on Linux two ticks of its clock later.",
		func(m *moment) bool {
			_, waits := m.step.(wait)
			x, y := m.berth[m.Step].spoken(leave{}), m.linux[m.Step].spoken(leave{})
			return m.What == "sent" && waits && m.inFlight() > 0 && len(x) == 1 && len(y) == 0
		},
		leave{},
	},
	{
		"error queue of a connect",
		"What ends a connect is told by the call that asks, or SO_ERROR. Linux also puts an ICMP error into the error queue, asked or not, for programs that trace routes, and POLLERR stays until somebody takes it from there.",
		func(m *moment) bool {
			return m.What == "events" && m.linux[m.Step].Events&^m.berth[m.Step].Events == socket.POLLERR && slices.ContainsFunc(m.s.steps[:m.Step], isICMP)
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
		"congestion window in bytes",
		"berth counts the congestion window in bytes, and halves what is in flight after a loss (RFC 5681); Linux counts segments of whatever length, and halves the window though it was not full. Where it is the limit they differ.",
		func(m *moment) bool {
			x, y := m.berth[m.Step].spoken(leave{echo: true}), m.linux[m.Step].spoken(leave{echo: true})
			return m.What == "sent" && (m.lost() || m.inFlight() >= 9) && (len(x) > len(y) && slices.Equal(x[:len(y)], y) || len(y) > len(x) && slices.Equal(y[:len(x)], x))
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

// closed tells whether the user has closed the socket.
func (m *moment) closed() bool {
	return slices.ContainsFunc(m.s.steps[:m.Step], func(s Step) bool {
		c, ok := s.(onSocket)
		return ok && strings.HasPrefix(c.name, "close()")
	})
}

func isICMP(s Step) bool {
	_, ok := s.(*icmpError)
	return ok
}

// crossed tells whether both sides have sent a SYN.
func (m *moment) crossed() bool {
	return m.s.active && slices.ContainsFunc(m.berth[:m.Step+1], func(o Observation) bool { return o.State == socket.TCP_SYN_RECV })
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

// urges tells whether a segment has an urgent pointer.
func (s *segment) urges() bool { return s.flags.Has(header.URG) }

// resets tells whether a reset is all that a host has sent.
func resets(o *Observation) bool {
	return len(o.Sent) == 1 && o.Sent[0].Flags.Has(header.RST)
}
