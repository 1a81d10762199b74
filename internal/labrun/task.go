package labrun

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"sync"
	"time"

	"example.com/berth/internal/labfile"
	"example.com/berth/lab"
)

// A task is a command that runs.
type task struct {
	*run
	cmd   *labfile.Command
	index int
	host  *lab.Host
	done  chan struct{} // closed when it has ended

	echoed echoCounts

	mu      sync.Mutex // guards what follows
	outcome Outcome
}

func (r *run) newTask(i int) *task {
	c := &r.file.Commands[i]
	t := &task{run: r, cmd: c, index: i, host: r.host(c.On), done: make(chan struct{})}
	t.outcome.Command = c
	for _, m := range labfile.Metrics[c.Kind] {
		t.outcome.Values = append(t.outcome.Values, Value{m, math.NaN()})
	}
	return t
}

// play runs the command to its end.
func (t *task) play(ctx context.Context) {
	defer close(t.done)
	if !t.until(ctx, t.cmd.Start) {
		return
	}
	t.outcome.Begun, t.outcome.Began = true, t.net.Now()
	var err error
	switch s := t.cmd.Spec.(type) {
	case *labfile.Echo:
		err = t.echo(ctx, s)
	case *labfile.Connect:
		err = t.connect(ctx, s)
	case *labfile.Ping:
		err = t.ping(ctx, s)
	case *labfile.Perf:
		err = t.perf(ctx, s)
	case *labfile.HTTP:
		err = t.http(ctx, s)
	}
	t.outcome.Ended, t.outcome.Err = t.net.Now(), plain(err)
	if err != nil {
		t.say("failed", map[string]any{"error": t.outcome.Err.Error()}, "%v", t.outcome.Err)
	}
}

// say adds a line to the log.
func (t *task) say(kind string, data map[string]any, format string, args ...any) {
	t.sayAs(0, kind, data, format, args...)
}

// sayAs is say for one of several goroutines of the command.
func (t *task) sayAs(part int, kind string, data map[string]any, format string, args ...any) {
	t.log.add(Line{
		At: t.net.Now(), Command: t.index, Name: t.cmd.Name, part: part,
		Text: fmt.Sprintf(format, args...), Type: kind, Data: data,
	})
}

// measured sets a metric.
func (t *task) measured(name string, v float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.outcome.Values {
		if t.outcome.Values[i].Name == name {
			t.outcome.Values[i].Value = v
		}
	}
}

// took sets a metric that is a time.
func (t *task) took(name string, d time.Duration) { t.measured(name, float64(d)) }

// result is what came of the command.
func (t *task) result() Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.outcome
	o.judge()
	return o
}

// part is the host for one of several parts of the command that do the same at
// one instant.
func (t *task) part(i int) *lab.Actor { return t.host.As(fmt.Sprintf("%s/%d", t.cmd.Name, i)) }

// A failure is an error in the words of this package.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.cause }

// plain is an error without the addresses that it goes from and to, which are
// another's business, or nil.
func plain(err error) error {
	var op *net.OpError
	var sys *os.SyscallError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &failure{"timed out", err}
	case !errors.As(err, &op):
		return err
	}
	reason := op.Err
	if errors.As(reason, &sys) {
		reason = sys.Err
	}
	if op.Op == "dial" && op.Addr != nil {
		return &failure{fmt.Sprintf("connect to %s: %v", op.Addr, reason), err}
	}
	return &failure{fmt.Sprintf("%s: %v", op.Op, reason), err}
}

// rtts gathers times.
type rtts struct {
	n           int
	least, most time.Duration
	sum         time.Duration
}

func (r *rtts) add(d time.Duration) {
	if r.n == 0 || d < r.least {
		r.least = d
	}
	r.most = max(r.most, d)
	r.sum += d
	r.n++
}

// report sets the metrics of round trips.
func (r *rtts) report(t *task) {
	if r.n > 0 {
		t.took("rtt-min", r.least)
		t.took("rtt", r.sum/time.Duration(r.n))
		t.took("rtt-max", r.most)
	}
}

// share is a part of a whole; NaN of nothing.
func share(part, whole int) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return float64(part) / float64(whole)
}
