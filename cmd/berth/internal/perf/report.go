package perf

import (
	"net"
	"sync"
	"time"
)

// Printer shows what comes of a test.
type Printer interface {
	Begin(*Start) error
	// Interval is called while the test runs, with a row for each stream and
	// the sums.
	Interval([]Row) error
	End(*End) error
}

// Start is what is known when all streams are there.
type Start struct {
	Params Params
	Client bool
	Peer   net.Addr
	// Streams are the ends of the streams on this side. Of datagrams the
	// server knows the peer only.
	Streams []Ends
}

// Ends are the addresses of a stream; an address that is not known is nil.
type Ends struct {
	Stream        int
	Sends         bool
	Local, Remote net.Addr
}

// Row is what a stream did from one time to another.
type Row struct {
	Stream   int  // 0 is the sum of those that go the same way
	Sends    bool // this side does
	From, To time.Duration
	Bytes    int64
	TCP      TCPState // of a sender; Retransmits are those of the interval
	// Of datagrams; a sender knows how many it sent.
	Datagrams, Lost, OutOfOrder int64
	Jitter                      float64 // seconds
}

// BitsPerSecond is the rate.
func (r *Row) BitsPerSecond() float64 { return rate(r.Bytes, (r.To - r.From).Seconds()) }

func rate(bytes int64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(bytes) * 8 / seconds
}

// End is what both sides have counted.
type End struct {
	Params  Params
	Client  bool
	Streams []EndOf
	// Sent and Received are the sums of what goes from the client to the
	// server, and back.
	Forward, Back *EndOf
}

// EndOf is a stream at its end.
type EndOf struct {
	Stream         int
	Sends          bool // this side did
	Sent, Received Total
}

// reporter takes samples of the streams of a session and hands them to a printer.
type reporter struct {
	session *session
	last    map[int]sample
	at      time.Duration
	broken  chan error // has the first error of the printer
}

func newReporter(s *session) *reporter {
	return &reporter{session: s, last: map[int]sample{}, broken: make(chan error, 1)}
}

func (r *reporter) begin() error {
	s := r.session
	start := &Start{Params: s.params, Client: s.client, Peer: s.channel.conn.RemoteAddr()}
	for i, st := range s.streams {
		e := Ends{Stream: st.id, Sends: st.sends}
		switch {
		case st.tcp != nil:
			e.Local, e.Remote = st.tcp.LocalAddr(), st.tcp.RemoteAddr()
		case st.peer.IsValid():
			e.Local, e.Remote = s.sockets[0].LocalAddr(), net.UDPAddrFromAddrPort(st.peer)
		default:
			e.Local, e.Remote = s.sockets[i].LocalAddr(), s.sockets[i].RemoteAddr()
		}
		start.Streams = append(start.Streams, e)
	}
	return s.printer.Begin(start)
}

// ticks reports intervals until the function that it returns is called; that
// reports what is left.
func (r *reporter) ticks() (stop func()) {
	if r.session.interval == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		ticker := time.NewTicker(r.session.interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				r.interval(time.Since(r.session.began))
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		ticking.Wait()
		r.lastInterval()
	}
}

// lastInterval reports what has happened since the last tick, up to the time of
// the last byte, if that is worth a line.
func (r *reporter) lastInterval() {
	var last time.Duration
	for _, st := range r.session.streams {
		last = max(last, time.Duration(st.ended.Load()))
	}
	if last-r.at > r.session.interval/10 {
		r.interval(last)
	}
}

// interval reports what has happened up to now.
func (r *reporter) interval(now time.Duration) {
	var rows []Row
	for _, st := range r.session.streams {
		x, before := st.sample(), r.last[st.id]
		r.last[st.id] = x
		row := Row{
			Stream: st.id, Sends: st.sends, From: r.at, To: now, Bytes: x.bytes - before.bytes,
			Datagrams: x.datagrams - before.datagrams, Lost: x.lost - before.lost,
			OutOfOrder: x.outOfOrder - before.outOfOrder, Jitter: x.jitter,
		}
		if st.sends && x.tcp.Known {
			row.TCP = x.tcp
			row.TCP.Retransmits -= before.tcp.Retransmits
		}
		rows = append(rows, row)
	}
	r.at = now
	if r.session.params.Streams > 1 {
		rows = append(rows, sums(rows)...)
	}
	if err := r.session.printer.Interval(rows); err != nil {
		select {
		case r.broken <- err:
		default:
		}
	}
}

// sums adds up the rows of each direction.
func sums(rows []Row) (all []Row) {
	for _, sends := range []bool{true, false} {
		sum, n := Row{Sends: sends}, 0
		for _, row := range rows {
			if row.Sends != sends {
				continue
			}
			n++
			sum.From, sum.To = row.From, row.To
			sum.Bytes += row.Bytes
			sum.TCP.Known = row.TCP.Known
			sum.TCP.Retransmits += row.TCP.Retransmits
			sum.Datagrams += row.Datagrams
			sum.Lost += row.Lost
			sum.OutOfOrder += row.OutOfOrder
			sum.Jitter += row.Jitter
		}
		if n > 0 {
			sum.Jitter /= float64(n)
			all = append(all, sum)
		}
	}
	return all
}

// end reports the results.
func (r *reporter) end(res *results) error {
	s := r.session
	end := &End{Params: s.params, Client: s.client}
	for _, st := range s.streams {
		of := EndOf{Stream: st.id, Sends: st.sends, Sent: res.sent[st.id], Received: res.received[st.id]}
		if s.params.UDP {
			// Only now it is known how many were sent after the last that came.
			arrived := of.Received.Datagrams - of.Received.Lost
			of.Received.Datagrams = of.Sent.Datagrams
			of.Received.Lost = max(0, of.Sent.Datagrams-arrived)
		}
		end.Streams = append(end.Streams, of)
		sum := &end.Forward
		if st.sends != s.client {
			sum = &end.Back
		}
		if *sum == nil {
			*sum = &EndOf{Sends: st.sends}
		}
		(*sum).Sent.add(of.Sent, s.params.Streams)
		(*sum).Received.add(of.Received, s.params.Streams)
	}
	return s.printer.End(end)
}

// add adds one of n totals to a sum.
func (t *Total) add(x Total, n int) {
	t.Bytes += x.Bytes
	t.Seconds = max(t.Seconds, x.Seconds)
	if x.Retransmits < 0 {
		t.Retransmits = -1
	} else if t.Retransmits >= 0 {
		t.Retransmits += x.Retransmits
	}
	t.Datagrams += x.Datagrams
	t.Lost += x.Lost
	t.OutOfOrder += x.OutOfOrder
	t.Jitter += x.Jitter / float64(n)
}

// BitsPerSecond is the rate.
func (t *Total) BitsPerSecond() float64 { return rate(t.Bytes, t.Seconds) }

// lostPercent is the share of datagrams that were lost.
func lostPercent(lost, of int64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(lost) / float64(of)
}
