package runner

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"unicode"

	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
)

// teller says what happens to flows. What is to be said waits in a queue, since who
// tells it must not wait for a terminal.
type teller struct {
	out     io.Writer
	verbose bool
	quiet   bool
	queue   chan string
	done    chan struct{}

	mu     sync.Mutex // guards what follows
	said   map[string]int
	order  []string // of what was said more than once
	lost   int
	closed bool
}

// Bounds: lines that wait to be written, and denials that are remembered so as to
// be said once. More of the first are counted; more of the second are said again.
const (
	maxQueue = 1024
	maxSaid  = 4096
)

func newTeller(out io.Writer, quiet, verbose bool) *teller {
	t := &teller{
		out: out, quiet: quiet, verbose: verbose,
		queue: make(chan string, maxQueue), done: make(chan struct{}), said: make(map[string]int),
	}
	go func() {
		defer close(t.done)
		for line := range t.queue {
			fmt.Fprintln(t.out, line)
		}
	}()
	return t
}

// say queues a line.
func (t *teller) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(fmt.Sprintf(format, args...))
}

// put queues a line. The caller holds the lock.
func (t *teller) put(line string) {
	if t.closed {
		return
	}
	select {
	case t.queue <- "berth: " + printable(line):
	default:
		t.lost++
	}
}

// printable is a line that does nothing to a terminal: names come from outside.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, line)
}

// denied says once that something was denied, and counts it from then on.
func (t *teller) denied(what, reason string) {
	if t.quiet {
		return
	}
	line := fmt.Sprintf("denied %s (%s)", what, reason)
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.said[line]
	switch {
	case n == 1:
		t.order = append(t.order, line)
		fallthrough
	case ok:
		t.said[line] = n + 1
		return
	case len(t.said) < maxSaid:
		t.said[line] = 1
	}
	t.put(line)
}

// event is told what happens to flows.
func (t *teller) event(e gateway.Event) {
	what := target(e.Flow, e.Verdict.Name)
	switch {
	case e.Kind == gateway.Denied:
		t.denied(what, e.Verdict.Reason)
	case !t.verbose:
	case e.Kind == gateway.Failed:
		t.say("failed %s: %v", what, plain(e.Err))
	case e.Kind == gateway.Begun && e.Verdict.Rule != "":
		t.say("allowed %s (rule %s)", what, e.Verdict.Rule)
	case e.Kind == gateway.Begun && !e.Inwards:
		t.say("allowed %s", what)
	case e.Kind == gateway.Begun:
		t.say("from outside %s", what)
	case e.Kind == gateway.Ended:
		t.say("ended %s: %d bytes sent, %d received", what, e.Sent, e.Received)
	}
}

// question is told which names were not to be asked for.
func (t *teller) question(q *policy.Query) { t.denied("name "+q.Name, q.Verdict.Reason) }

// target is where a flow goes: "tcp ssh.example.net:22".
func target(f policy.Flow, name string) string {
	dst := f.Dst.Addr().Unmap()
	host := dst.String()
	if name != "" {
		host = name
	}
	switch f.Proto {
	case policy.TCP, policy.UDP:
		if name == "" {
			return fmt.Sprintf("%v %v", f.Proto, netip.AddrPortFrom(dst, f.Dst.Port()))
		}
		return fmt.Sprintf("%v %s:%d", f.Proto, name, f.Dst.Port())
	case policy.Other:
		return fmt.Sprintf("protocol %d %s", f.Number, host)
	}
	return fmt.Sprintf("%v %s", f.Proto, host)
}

// close says how often what was denied again, and waits until all is said.
func (t *teller) close() {
	t.mu.Lock()
	if !t.quiet {
		for _, line := range t.order {
			t.put(fmt.Sprintf("%s: %d times in all", line, t.said[line]))
		}
		if t.lost > 0 {
			lost := t.lost
			t.put(fmt.Sprintf("%d more lines could not be said in time", lost))
		}
	}
	t.closed = true
	close(t.queue)
	t.mu.Unlock()
	<-t.done
}
