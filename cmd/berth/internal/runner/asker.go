package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"example.com/berth/internal/policy"
)

// asker asks the person about flows that no rule decides, one question at a time.
// Flows to one destination are one question.
type asker struct {
	prompt prompt
	limit  time.Duration      // for an answer
	keep   func(*policy.Rule) // has a rule hold from now on

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	queue  chan *inquiry
	done   chan struct{}

	mu        sync.Mutex // guards what follows
	known     map[string]*inquiry
	interrupt context.CancelCauseFunc // of the question that is open; nil without one
}

// A prompt puts a question until a line is a clear answer, which it returns.
type prompt func(ctx context.Context, text string, clear func(line string) bool) (line string, err error)

const (
	// maxInquiries is how many questions may wait. Flows beyond are refused.
	maxInquiries = 64
	// onceLasts is how long yes and no hold for what follows to the same
	// destination: a program tries all addresses of a name, and opens several
	// connections at once.
	onceLasts = 30 * time.Second
)

// An inquiry is a question with its answer.
type inquiry struct {
	policy.Inquiry
	answered chan struct{} // closed when there is an answer; what follows is set then
	allow    *policy.Rule
	reason   string
	until    time.Time // when the answer is forgotten
}

// over tells whether the answer no longer holds.
func (q *inquiry) over(now time.Time) bool {
	select {
	case <-q.answered:
		return !now.Before(q.until)
	default:
		return false
	}
}

// answer is what a person says.
type answer uint8

const (
	unclear answer = iota
	yes
	no
	always
	never
)

var answers = map[string]answer{"y": yes, "yes": yes, "n": no, "no": no, "a": always, "always": always, "v": never, "never": never}

// Why a question ends without an answer.
var (
	errInterrupted = errors.New("interrupted")
	errNobody      = errors.New("nobody answered")
)

func newAsker(limit time.Duration, prompt prompt, keep func(*policy.Rule)) *asker {
	a := &asker{
		prompt: prompt, limit: limit, keep: keep,
		queue: make(chan *inquiry, maxInquiries), done: make(chan struct{}), known: make(map[string]*inquiry),
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	go a.serve()
	return a
}

// ask implements policy.Config.Ask.
func (a *asker) ask(f policy.Flow, v policy.Verdict) (allow *policy.Rule, reason string) {
	q := a.join(policy.NewInquiry(f, v))
	if q == nil {
		return nil, "too many questions wait for an answer"
	}
	select {
	case <-q.answered:
		return q.allow, q.reason
	case <-a.done:
		return nil, "the run is over"
	}
}

// join returns the question that an inquiry is, which may be asked already; nil if
// there is no room for it.
func (a *asker) join(what policy.Inquiry) *inquiry {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for rule, q := range a.known {
		if q.over(now) {
			delete(a.known, rule)
		}
	}
	if q := a.known[what.Rule]; q != nil {
		return q
	}
	q := &inquiry{Inquiry: what, answered: make(chan struct{})}
	select {
	case a.queue <- q:
		a.known[what.Rule] = q
		return q
	default:
		return nil
	}
}

// serve asks, until the end.
func (a *asker) serve() {
	defer close(a.done)
	for {
		select {
		case <-a.ctx.Done():
			return
		case q := <-a.queue:
			said, err := a.put(q)
			a.settle(q, said, err)
			if errors.Is(err, errNobody) {
				a.settleAll(err)
			}
		}
	}
}

// put asks until the answer is clear.
func (a *asker) put(q *inquiry) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(a.ctx, a.limit, errNobody)
	defer cancel()
	ctx, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	a.setInterrupt(interrupt)
	defer a.setInterrupt(nil)
	text := fmt.Sprintf("berth: allow %s? [y]es, [n]o, [a]lways this name and port, ne[v]er: ", q.What)
	line, err := a.prompt(ctx, text, func(line string) bool { return readAnswer(line) != unclear })
	switch {
	case ctx.Err() != nil:
		return no, context.Cause(ctx)
	case errors.Is(err, io.EOF): // Ctrl-D
		return no, nil
	case err != nil:
		return no, err
	}
	return readAnswer(line), nil
}

func readAnswer(line string) answer { return answers[strings.ToLower(strings.TrimSpace(line))] }

func (a *asker) setInterrupt(f context.CancelCauseFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.interrupt = f
}

// interrupted ends the question that is open, with no.
func (a *asker) interrupted() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.interrupt != nil {
		a.interrupt(errInterrupted)
	}
}

// settle gives a question its answer.
func (a *asker) settle(q *inquiry, said answer, err error) {
	rule, parse := policy.ParseRule(said == yes || said == always, q.Rule)
	switch {
	case parse != nil: // of what policy wrote itself
		err = parse
	case said == always || said == never:
		a.keep(rule)
	}
	switch {
	case err == nil && rule.Allows():
		q.allow = rule
	case errors.Is(err, errNobody):
		q.reason = fmt.Sprintf("nobody answered within %v", a.limit)
	case err != nil && !errors.Is(err, errInterrupted):
		q.reason = fmt.Sprintf("you could not be asked: %v", err)
	default:
		q.reason = "you said no"
	}
	q.until = time.Now().Add(onceLasts)
	close(q.answered)
}

// settleAll answers no to what waits: if nobody is there for one question, nobody is
// for the others.
func (a *asker) settleAll(err error) {
	for {
		select {
		case q := <-a.queue:
			a.settle(q, no, err)
		default:
			return
		}
	}
}

// close ends the question that is open, and has all be refused.
func (a *asker) close() {
	if a == nil {
		return
	}
	a.cancel()
	<-a.done
}
