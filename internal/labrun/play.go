package labrun

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/berth/internal/labfile"
	"example.com/berth/lab"
)

// Options say how a file is run.
type Options struct {
	// Network, if not nil, is an empty one to run the file in, on the clock that it
	// is on, and is left as it is at the end. Without it Play makes one.
	Network *lab.Network
	// Until, if not nil, has the run go on until it is closed, unless the file's bound
	// comes before.
	Until <-chan struct{}
	// Show is told what happens.
	Show Printer
	// Record is how many bytes of packets are kept for After; negative for none.
	Record int
	// Ready, if not nil, is called when the network is made, before anything is run.
	Ready func(n *lab.Network)
	// Endless has the run go on until ctx ends, whatever the file says.
	Endless bool
	// After, if not nil, is called at the end, while the network is still there.
	After func(n *lab.Network, r *Result) error
}

// longestFake bounds runs on fake time that have no bound, so that a file that
// never ends is no program that never ends.
const longestFake = 24 * time.Hour

// farewell is how long, on fake time, the network lives on after the commands, so
// that what they said last arrives, and captures end as connections do.
const farewell = time.Second

// Play runs a file to its end, or that of ctx, whose cause is the error then.
// The result is nil if the network could not be made. An error of type
// [labfile.Errors] is a mistake in the file.
func Play(ctx context.Context, f *labfile.File, o Options) (result *Result, err error) {
	play := func(ctx context.Context) (err error) {
		result, err = newRun(f, o).play(ctx)
		return err
	}
	if f.Fake && o.Network == nil {
		err = onFakeTime(ctx, play)
	} else {
		err = play(ctx)
	}
	return result, err
}

// Check makes the network of a file, and runs nothing.
func Check(f *labfile.File) (err error) {
	r := newRun(f, Options{Record: -1})
	r.net = lab.New(nil, lab.Seed(f.Seed), lab.Record(-1))
	defer func() { err = errors.Join(err, r.net.Close()) }()
	return r.build()
}

// A run is a file that is run.
type run struct {
	file    *labfile.File
	options Options
	net     *lab.Network
	links   []link
	tasks   []*task
	log     *log

	mu      sync.Mutex // guards what follows
	servers []*server
	serving sync.WaitGroup
	flows   map[uint32]*flow
}

func newRun(f *labfile.File, o Options) *run {
	return &run{file: f, options: o, flows: make(map[uint32]*flow)}
}

func (r *run) play(ctx context.Context) (result *Result, err error) {
	if r.net = r.options.Network; r.net == nil {
		r.net = lab.New(nil, lab.Seed(r.file.Seed), lab.Record(r.options.Record))
		defer func() { err = errors.Join(err, r.net.Close()) }()
	}
	if err := r.build(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.log = &log{show: r.options.Show, gather: r.file.Fake, failed: cancel}
	serve, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer r.serving.Wait()
	defer stop()
	if err := r.setUp(serve); err != nil {
		return nil, err
	}
	if r.options.Ready != nil {
		r.options.Ready(r.net)
	}
	picture := r.net.Recording()
	if err := r.options.Show.Begin(&Scene{File: r.file, Nodes: picture.Nodes, Links: picture.Links}); err != nil {
		return nil, err
	}
	result = r.perform(ctx)
	if r.file.Fake && ctx.Err() == nil {
		time.Sleep(farewell)
	}
	stop()
	r.serving.Wait()
	r.log.end()
	err = r.options.Show.End(result)
	if err == nil && r.options.After != nil {
		err = r.options.After(r.net, result)
	}
	return result, errors.Join(context.Cause(ctx), err)
}

// setUp makes the tasks, and starts the servers that they need.
func (r *run) setUp(ctx context.Context) error {
	for i := range r.file.Commands {
		t := r.newTask(i)
		r.tasks = append(r.tasks, t)
		var err error
		switch s := t.cmd.Spec.(type) {
		case *labfile.Perf:
			err = r.startSink(ctx, t, s)
		case *labfile.HTTP:
			err = r.startWeb(ctx, s)
		case *labfile.Echo:
			if t.cmd.Start == 0 {
				err = t.startEcho(ctx, s)
			}
		}
		if err != nil {
			return r.file.Mistake(t.cmd.Pos, "", "%s: %v", t.cmd.Name, err)
		}
	}
	return nil
}

// perform lets the commands run and the events happen, until all commands that
// end have ended, or the bound, or ctx.
func (r *run) perform(outer context.Context) *Result {
	ctx, cancel := context.WithCancel(outer)
	defer cancel()
	left := make(chan int, 1)
	go func() { left <- r.direct(ctx) }()
	for _, t := range r.tasks {
		go t.play(ctx)
	}
	result := &Result{File: r.file, Bounded: r.wait(ctx), Interrupted: ctx.Err() != nil, Length: r.net.Now(), Links: r.stats()}
	cancel()
	for _, t := range r.tasks {
		<-t.done
		result.Outcomes = append(result.Outcomes, t.result())
	}
	result.EventsLeft = <-left
	return result
}

// wait waits for the end, and tells whether a bound made it.
func (r *run) wait(ctx context.Context) (bounded bool) {
	if r.options.Endless {
		<-ctx.Done()
		return false
	}
	most := r.file.For
	if most == 0 && r.file.Fake {
		most = longestFake
	}
	var bound <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		bound = timer.C
	}
	var ends []<-chan struct{}
	for _, t := range r.tasks {
		if t.cmd.Ends() {
			ends = append(ends, t.done)
		}
	}
	if r.options.Until != nil {
		ends = append(ends, r.options.Until)
	}
	for _, end := range ends {
		select {
		case <-end:
		case <-bound:
			return true
		case <-ctx.Done():
			return false
		}
	}
	if len(ends) > 0 {
		return false
	}
	select {
	case <-bound:
		return true
	case <-ctx.Done():
		return false
	}
}

// stats reads the counters of all links.
func (r *run) stats() (all []LinkStats) {
	for _, l := range r.links {
		a, b := l.Ends()
		all = append(all,
			LinkStats{From: a.Name(), To: b.Name(), Stats: l.Stats(a)},
			LinkStats{From: b.Name(), To: a.Name(), Stats: l.Stats(b)})
	}
	return all
}
