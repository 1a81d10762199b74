package gateway

import (
	"net"
	"time"

	"example.com/berth/internal/eventloop"
	"example.com/berth/internal/policy"
)

// hearing is what the program says, held back until its Hello is done with it.
type hearing struct {
	hello Hello
	held  []byte
	busy  bool // the Hello thinks, elsewhere
	late  bool // the program's time was over meanwhile
	done  bool
	says  policy.Verdict // once done
}

// hear takes more of what the program says, or nothing at its end.
func (r *conn) hear(b []byte) error {
	h := r.hearing
	switch {
	case len(b) == 0 && len(h.held) == 0: // it says nothing more: there is nothing to judge
		r.hearing = nil
		return nil
	case len(b) == 0:
		return r.hearEnd()
	case len(h.held) == 0 && r.g.cfg.Prompt:
		if h.done, h.says = h.hello.Feed(b); h.done {
			h.held = b // which goes on before the call returns, or is copied
			return r.heard()
		}
		r.hold(b)
		return r.heard()
	}
	r.hold(b)
	news := h.held[len(h.held)-len(b):]
	return r.think(func() { h.done, h.says = h.hello.Feed(news) })
}

// hold holds back what the program says, for some time.
func (r *conn) hold(b []byte) {
	if h := r.hearing; len(h.held) == 0 {
		r.patience = &eventloop.Timer{Runner: eventloop.Func(r.hushed)}
		r.c.loop.At(r.patience, time.Now().Add(helloPatience))
	}
	r.hearing.held = append(r.hearing.held, b...)
}

// hearEnd has what is held back judged as it is.
func (r *conn) hearEnd() error {
	h := r.hearing
	return r.think(func() { h.done, h.says = true, h.hello.End() })
}

// think calls the Hello: here, if it does not block.
func (r *conn) think(ask func()) error {
	if r.g.cfg.Prompt {
		ask()
		return r.heard()
	}
	r.hearing.busy = true
	if !r.g.run(func() {
		ask()
		r.c.loop.Post(eventloop.Func(r.thought))
	}) {
		return net.ErrClosed
	}
	return nil
}

// thought is the end of a think elsewhere.
func (r *conn) thought() {
	if r.state != loopOpen {
		return
	}
	r.hearing.busy = false
	if err := r.heard(); err != nil {
		r.end(err)
		return
	}
	r.pump()
}

// heard does as the Hello says.
func (r *conn) heard() error {
	h := r.hearing
	switch {
	case h.done && !h.says.Allow:
		return &denial{h.says}
	case h.done:
		held := h.held
		r.verdict, h.held, h.done, h.late = h.says, nil, false, false
		if !h.says.Inspect {
			r.hearing = nil
		}
		if r.patience != nil {
			r.c.loop.Stop(r.patience)
		}
		return r.writeUp(held)
	case len(h.held) >= maxHello:
		return r.denied(tooLong)
	case h.late:
		return r.hearEnd()
	}
	return nil
}

// hushed is the end of the time that the program may take to go on.
func (r *conn) hushed() {
	switch h := r.hearing; {
	case h == nil || r.state != loopOpen || len(h.held) == 0 && !h.busy:
	case h.busy:
		h.late = true
	default:
		if err := r.hearEnd(); err != nil {
			r.end(err)
			return
		}
		r.pump()
	}
}
