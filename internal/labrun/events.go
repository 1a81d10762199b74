package labrun

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/berth/internal/labfile"
	"example.com/berth/lab"
)

// An act is something that is done at a certain time.
type act struct {
	at   time.Duration
	what string
	do   func() error
}

// acts are the events of the file, and what undoes them, in order of time.
func (r *run) acts() (all []act) {
	for i := range r.file.Events {
		do, undo := r.acting(&r.file.Events[i])
		all = append(all, do)
		if r.file.Events[i].Undo > 0 {
			all = append(all, undo)
		}
	}
	slices.SortStableFunc(all, func(a, b act) int { return cmp.Compare(a.at, b.at) })
	return all
}

// acting returns what an event does, and what takes it back.
func (r *run) acting(e *labfile.Event) (do, undo act) {
	do = act{at: e.At, what: string(e.Do)}
	undo = act{at: e.At + e.Undo}
	switch e.Do {
	case labfile.Partition:
		heal := func() {}
		set := make([]lab.Node, len(e.Hosts))
		for i, name := range e.Hosts {
			set[i] = r.net.Node(name)
		}
		names := strings.Join(e.Hosts, ", ")
		do.what += " " + names
		do.do = func() error { heal = r.net.Partition(set...); return nil }
		undo.what, undo.do = "heal the partition of "+names, func() error { heal(); return nil }
	case labfile.Crash, labfile.Shutdown, labfile.Restart:
		name := e.Hosts[0]
		do.what += " " + name
		do.do = func() error { r.power(name, e.Do); return nil }
		undo.what, undo.do = "restart "+name, func() error { r.power(name, labfile.Restart); return nil }
	default:
		if e.Link < 0 {
			do.what, do.do = "heal all links", func() error { r.healAll(); return nil }
			return do, undo
		}
		l := &r.links[e.Link]
		do.what += " " + l.String()
		do.do = func() error { return r.switchLink(l, e) }
		undo.what, undo.do = "heal "+l.String(), func() error { l.Heal(); return nil }
	}
	return do, undo
}

func (r *run) healAll() {
	for _, l := range r.links {
		l.Heal()
	}
}

func (r *run) switchLink(l *link, e *labfile.Event) error {
	switch e.Do {
	case labfile.Cut:
		l.Cut()
	case labfile.Down:
		l.Down()
	case labfile.Heal:
		l.Heal()
	case labfile.Set:
		a, b := l.Ends()
		return r.try(e.Pos, func() { l.Set(l.change(a, b, e.MTU, e.Up, e.Down)...) })
	}
	return nil
}

// power stops and starts a host, and its servers with it.
func (r *run) power(name string, do labfile.Action) {
	h := r.host(name)
	switch do {
	case labfile.Crash:
		h.Crash()
	case labfile.Shutdown:
		h.Shutdown()
	case labfile.Restart:
		h.Restart()
		r.restarted(h)
	}
}

// direct does the acts, each at its time, and returns how many were left when ctx
// ended.
func (r *run) direct(ctx context.Context) (left int) {
	acts := r.acts()
	for i, a := range acts {
		if !r.until(ctx, a.at) {
			return len(acts) - i
		}
		what := a.what
		if err := a.do(); err != nil {
			what = fmt.Sprintf("%s: %v", what, err)
		}
		r.log.add(Line{At: r.net.Now(), Command: -1, Name: "network", Text: what, Type: "event", Data: map[string]any{"event": what}})
	}
	return 0
}

// until waits for a time of the network; false if ctx ends first.
func (r *run) until(ctx context.Context, at time.Duration) bool { return pause(ctx, at-r.net.Now()) }

// pause waits; false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
