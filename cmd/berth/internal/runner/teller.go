package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
)

// teller says what happens to flows: to the person, to a file of events, to who
// learns. All is written by one goroutine, from a queue: flows must not wait for a
// terminal.
type teller struct {
	Options
	events  *os.File // nil for none
	denials policy.Denials
	learner policy.Learner
	begun   map[uint64]error // flows that have, with what failed since
	failed  error            // the first error of the file of events

	queue chan func()
	done  chan struct{}

	lastID atomic.Uint64 // of a flow or a question

	mu     sync.Mutex // guards what follows
	lost   int
	closed bool
}

// maxQueue is what waits to be written. More is counted, and not said; but if it is
// to be in a file, flows wait.
const maxQueue = 4096

func newTeller(o Options) (*teller, error) {
	t := &teller{Options: o, queue: make(chan func(), maxQueue), done: make(chan struct{}), begun: make(map[uint64]error)}
	if err := writable(o.Learn); err != nil {
		return nil, err
	}
	if o.Events != "" {
		var err error
		if t.events, err = os.OpenFile(o.Events, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666); err != nil {
			return nil, err
		}
	}
	go func() {
		defer close(t.done)
		for f := range t.queue {
			f()
		}
	}()
	return t, nil
}

// writable tells why a file could not be written at the end, before anything has begun.
// It leaves nothing where there is nothing.
func writable(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
			err = os.Remove(path)
		}
	}
	if f != nil {
		f.Close()
	}
	return err
}

// put queues what is to be written.
func (t *teller) put(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if t.Events != "" || t.Learn != "" {
		t.queue <- f
		return
	}
	select {
	case t.queue <- f:
	default:
		t.lost++
	}
}

// say tells the person something.
func (t *teller) say(format string, args ...any) {
	t.put(func() { fmt.Fprintf(t.Err, "berth: "+format+"\n", args...) })
}

func (t *teller) line(line string, isNew bool) {
	if isNew && !t.Quiet {
		fmt.Fprintln(t.Err, line)
	}
}

// write puts an event into the file. What cannot be written is said at the end.
func (t *teller) write(e policy.Event) {
	if t.events == nil || t.failed != nil {
		return
	}
	_, t.failed = t.events.Write(e.Append(nil))
}

// flow is told what happens to flows.
func (t *teller) flow(e gateway.Event) {
	if t.Events == "" && t.Learn == "" && !t.Verbose && e.Kind != gateway.Denied {
		return // nobody wants to know
	}
	t.queueFlow(e)
}

// queueFlow has an event written that somebody wants to know. (It is a function of its
// own so that others are not copied to the heap.)
func (t *teller) queueFlow(e gateway.Event) {
	t.put(func() {
		t.record(&e)
		if e.Kind == gateway.Denied {
			t.line(t.denials.Flow(e.Flow, e.Verdict))
		} else if t.Verbose {
			t.follow(&e)
		}
	})
}

// record writes the events of a flow, and learns from what was allowed.
func (t *teller) record(e *gateway.Event) {
	failed, begun := t.begun[e.ID]
	switch {
	case e.Inwards || begun && e.Kind != gateway.Denied:
	case e.Kind != gateway.Ended:
		t.write(policy.DecisionEvent(e.Time, e.ID, e.Flow, e.Verdict))
	}
	switch {
	case e.Kind == gateway.Begun:
		t.begun[e.ID] = nil
		t.write(policy.BeginEvent(e.Time, e.ID, e.Flow, e.Verdict))
		return
	case e.Kind == gateway.Failed && begun: // a ping: its end comes later
		t.begun[e.ID] = e.Err
		return
	case e.Kind == gateway.Denied: // if it had begun, its end comes later
		return
	}
	delete(t.begun, e.ID)
	if failed == nil {
		failed = e.Err
	}
	t.write(policy.EndEvent(e.Time, e.ID, e.Flow, e.Verdict, e.Sent, e.Received, e.Duration, failed))
	if !e.Inwards && e.Verdict.Allow {
		t.learner.Flow(e.Flow, e.Verdict) // by now it is known which name the program itself said
	}
}

// follow tells the person of a flow that was allowed.
func (t *teller) follow(e *gateway.Event) {
	what := e.Flow.String()
	if e.Verdict.Name != "" {
		what += " (" + e.Verdict.Name + ")"
	}
	switch {
	case e.Kind == gateway.Failed:
		fmt.Fprintf(t.Err, "berth: %s failed: %v\n", what, plain(e.Err))
	case e.Kind == gateway.Ended:
		fmt.Fprintf(t.Err, "berth: %s ended: %d bytes sent, %d received\n", what, e.Sent, e.Received)
	case e.Inwards:
		fmt.Fprintf(t.Err, "berth: %s from outside\n", what)
	case e.Verdict.Rule != "":
		fmt.Fprintf(t.Err, "berth: %s begins, by the rule %s\n", what, e.Verdict.Rule)
	default:
		fmt.Fprintf(t.Err, "berth: %s begins\n", what)
	}
}

// nextID numbers flows and questions, in one sequence.
func (t *teller) nextID() uint64 { return t.lastID.Add(1) }

// ruled is told of a rule that the person made by an answer. What one allows is
// learned when it is used.
func (t *teller) ruled(r *policy.Rule) {
	if !r.Allows() {
		t.put(func() { t.learner.Never(r) })
	}
}

// question is told of a question before it is answered. The number that it returns
// joins the answer to it.
func (t *teller) question(e func(id uint64) policy.Event, q *policy.Query) (id uint64) {
	id = t.nextID()
	t.put(func() {
		t.write(e(id))
		if q.Verdict.Allow {
			t.learner.Question(q)
		} else {
			t.line(t.denials.Question(q))
		}
	})
	return id
}

// answer is told of an answer.
func (t *teller) answer(e policy.Event) { t.put(func() { t.write(e) }) }

// close says what is left to say, writes what was learned, and waits for that.
func (t *teller) close() error {
	t.mu.Lock()
	t.closed = true
	close(t.queue)
	t.mu.Unlock()
	<-t.done
	for _, line := range t.denials.Rest() {
		t.line(line, true)
	}
	if t.lost > 0 && !t.Quiet {
		fmt.Fprintf(t.Err, "berth: %d lines could not be said in time\n", t.lost)
	}
	if t.events != nil {
		if err := t.events.Close(); t.failed == nil {
			t.failed = err
		}
	}
	if t.Learn != "" && t.failed == nil {
		t.failed = os.WriteFile(t.Learn, t.learner.Policy(), 0o666)
	}
	return t.failed
}
