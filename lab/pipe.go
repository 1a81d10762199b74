package lab

import (
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// A pipe is one direction of a link: the impaired line, driven by the lab's
// loop. What it carries it delivers in a turn, never on the goroutine of the
// sender.
type pipe struct {
	link     *Link
	name     string // "web>client", the same in every run
	from, to *port
	line     *impair.Line       // guarded by the link's lock
	user     func(impair.Event) // the user's Observe
	arrival  event
	batch    []*link.Kept
	frames   []link.Frame
	leaving  []link.Frame // guarded by the link's lock
}

// maxBatch is the most packets that arrive in one call.
const maxBatch = 64

func newPipe(l *Link, from, to *port, cfg impair.Config) (*pipe, error) {
	p := &pipe{link: l, name: from.node.Name() + ">" + to.node.Name(), from: from, to: to}
	p.batch = make([]*link.Kept, 0, maxBatch)
	p.frames = make([]link.Frame, 0, maxBatch)
	p.arrival.task = p
	p.from.out = p
	var err error
	p.line, err = impair.NewLine(l.medium, p.complete(cfg))
	return p, err
}

// complete gives a user's config what the lab adds: a seed of its own, and the
// recorder's ear.
func (p *pipe) complete(cfg impair.Config) impair.Config {
	if cfg.Seed == 0 {
		if p.line != nil {
			cfg.Seed = p.line.Config().Seed
		} else {
			cfg.Seed = p.link.net.source()
		}
	}
	n := p.link.net
	told := cfg.Observe
	p.user = told
	cfg.Observe = func(e impair.Event) {
		n.trace.event(p, &e)
		if told != nil {
			told(e)
		}
	}
	cfg.Pardon = n.pardons(p)
	return cfg
}

// push sends frames on their way.
func (p *pipe) push(frames []link.Frame) {
	if len(frames) == 0 {
		return
	}
	l := p.link
	trace := l.net.trace
	now := l.net.sched.now()
	l.mu.Lock()
	p.leaving = append(p.leaving[:0], frames...)
	trace.sent(p, now, p.leaving)
	if l.cut {
		for i := range p.leaving {
			trace.lost(p.leaving[i].Serial, "lost: the link is cut")
		}
	} else {
		p.line.Push(now, p.within(p.leaving))
	}
	clear(p.leaving)
	at, ok := p.line.Next()
	l.mu.Unlock()
	if ok {
		l.net.sched.plan(&p.arrival, at)
	}
}

// Turn lets what is due arrive.
func (p *pipe) Turn() {
	l := p.link
	now := l.net.sched.now()
	l.mu.Lock()
	p.batch = p.line.Take(now, p.batch[:0])
	at, more := p.line.Next()
	l.mu.Unlock()
	if more {
		l.net.sched.plan(&p.arrival, at)
	}
	for _, k := range p.batch {
		p.frames = append(p.frames, k.Frame)
	}
	l.mu.Lock()
	frames := p.within(p.frames)
	l.mu.Unlock()
	l.net.trace.arrived(now, frames)
	p.to.receive(frames)
	clear(p.frames)
	p.frames = p.frames[:0]
	for i, k := range p.batch {
		k.Release()
		p.batch[i] = nil
	}
}

// within takes out, in place, the frames that a partition does not let pass. The
// link's lock is held.
func (p *pipe) within(frames []link.Frame) []link.Frame {
	if len(p.link.only)+len(p.link.spared) == 0 {
		return frames
	}
	kept := frames[:0]
	for i := range frames {
		if p.link.passes(&frames[i]) {
			kept = append(kept, frames[i])
		} else {
			p.link.net.trace.lost(frames[i].Serial, "lost: partition")
		}
	}
	return kept
}

// configure changes what happens to packets from now on.
func (p *pipe) configure(cfg impair.Config) error { return p.line.Configure(p.complete(cfg)) }
