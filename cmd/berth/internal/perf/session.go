package perf

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/berth/netconn"
)

// session is a test under way, on either side.
type session struct {
	params  Params
	client  bool
	channel *channel
	streams []*stream
	sockets []*netconn.UDPConn // that datagrams come from
	closers []func() error
	printer Printer
	// interval is the time between reports; 0 gives none but the last.
	interval time.Duration
	began    time.Time

	halt     chan struct{} // closed when senders are to end
	haltOnce sync.Once
	over     chan struct{} // closed when the session is
}

func newSession(p Params, ch *channel, printer Printer, client bool) *session {
	return &session{
		params: p, client: client, channel: ch, streams: p.sides(client), printer: printer,
		halt: make(chan struct{}), over: make(chan struct{}),
	}
}

// stop ends the senders of this side.
func (s *session) stop() { s.haltOnce.Do(func() { close(s.halt) }) }

// close ends the session and its streams.
func (s *session) close() {
	s.stop()
	close(s.over)
	for _, f := range s.closers {
		_ = f() // they are used up, or given up
	}
}

// run carries the test to its end and reports it. When ctx ends it ends early,
// with a report all the same, and the context's error.
func (s *session) run(ctx context.Context) error {
	s.began = time.Now()
	report := newReporter(s)
	if err := report.begin(); err != nil {
		return s.fail(err)
	}
	stopTicks := report.ticks()
	defer context.AfterFunc(ctx, func() {
		_ = s.channel.send(message{Kind: kindStop}) // if it is lost, the other side ends in its time
		s.stop()
	})()
	r, err := s.exchange(report.broken)
	stopTicks()
	if err != nil {
		return err
	}
	if err := report.end(r); err != nil {
		return err
	}
	return ctx.Err()
}

// fail tells the other side, and returns the error.
func (s *session) fail(err error) error {
	_ = s.channel.send(message{Kind: kindError, Error: err.Error()}) // it sees the end in any case
	return err
}

// results are what the senders and the receivers of the streams have counted, by
// the number of the stream.
type results struct{ sent, received map[int]Total }

func (r *results) add(k kind, totals []Total) {
	to := r.sent
	if k == kindReceived {
		to = r.received
	}
	for _, t := range totals {
		to[t.Stream] = t
	}
}

// exchange moves the data and swaps what was counted. It ends with an error when
// a stream or the control connection breaks, or broken says so.
func (s *session) exchange(broken <-chan error) (*results, error) {
	var sending, receiving []*stream
	for _, st := range s.streams {
		if st.sends {
			sending = append(sending, st)
		} else {
			receiving = append(receiving, st)
		}
	}
	r := &results{sent: map[int]Total{}, received: map[int]Total{}}
	left := map[kind]bool{}       // messages that have still to come
	done := map[kind]chan error{} // what has still to end here
	begin := func(k, answer kind, work func([]*stream) error, streams []*stream) {
		if len(streams) == 0 {
			return
		}
		left[answer] = true
		ended := make(chan error, 1)
		done[k] = ended
		go func() { ended <- work(streams) }()
	}
	begin(kindSent, kindReceived, s.sendAll, sending)
	begin(kindReceived, kindSent, s.receiveAll, receiving)
	messages, gone := s.listen()

	// ended is what follows when this side has ended sending or receiving.
	ended := func(k kind, streams []*stream, err error) error {
		if err != nil {
			return s.fail(err)
		}
		delete(done, k)
		totals := totalsOf(streams)
		r.add(k, totals)
		return s.channel.send(message{Kind: k, Totals: totals})
	}
	watch := newWatch(s)
	defer watch.ticker.Stop()
	for len(left) > 0 || len(done) > 0 {
		var err error
		select {
		case <-watch.ticker.C:
			if !watch.moved() {
				err = s.fail(errStalled)
			}
		case err = <-done[kindSent]:
			err = ended(kindSent, sending, err)
		case err = <-done[kindReceived]:
			err = ended(kindReceived, receiving, err)
		case m := <-messages:
			err = s.heard(m, left, r, receiving)
		case err = <-gone:
		case err = <-broken:
			err = s.fail(err)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// heard takes a message of the other side.
func (s *session) heard(m message, left map[kind]bool, r *results, receiving []*stream) error {
	if m.Kind == kindStop {
		s.stop()
		return nil
	}
	if !left[m.Kind] {
		return s.fail(fmt.Errorf("an unexpected message %q", m.Kind))
	}
	delete(left, m.Kind)
	r.add(m.Kind, m.Totals)
	if m.Kind == kindSent {
		s.finishReceiving(receiving)
	}
	return nil
}

// stalled is how long nothing may move: no test keeps a server for ever.
const stalled = time.Minute

var errStalled = fmt.Errorf("nothing has moved for %v", stalled)

// watch tells whether anything moves.
type watch struct {
	session *session
	ticker  *time.Ticker
	bytes   int64
}

func newWatch(s *session) *watch {
	return &watch{session: s, ticker: time.NewTicker(stalled), bytes: -1}
}

// moved tells whether bytes have moved since it was asked before.
func (w *watch) moved() bool {
	var now int64
	for _, st := range w.session.streams {
		now += st.bytes.Load()
	}
	before := w.bytes
	w.bytes = now
	return now != before
}

func totalsOf(streams []*stream) (all []Total) {
	for _, st := range streams {
		all = append(all, st.total())
	}
	return all
}

// listen reads the control connection until it ends.
func (s *session) listen() (<-chan message, <-chan error) {
	messages, gone := make(chan message), make(chan error, 1)
	go func() {
		for {
			m, err := s.channel.receive()
			if err != nil {
				gone <- err
				return
			}
			select {
			case messages <- m:
			case <-s.over:
				return
			}
		}
	}()
	return messages, gone
}

// each runs f for all streams at once and returns what went wrong.
func each(streams []*stream, f func(*stream) error) error {
	errs := make([]error, len(streams))
	var all sync.WaitGroup
	for i, st := range streams {
		all.Go(func() { errs[i] = f(st) })
	}
	all.Wait()
	return errors.Join(errs...)
}
