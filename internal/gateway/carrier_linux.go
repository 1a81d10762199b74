package gateway

import (
	"sync"

	"example.com/berth"
	"example.com/berth/internal/eventloop"
	"example.com/berth/internal/policy"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// A carrier carries flows of the program's on a loop: no goroutine, and a buffer
// only for what one side does not take yet. It is for those whose outside are
// sockets of the operating system.
type carrier struct {
	g    *Gateway
	on   bool // else flows have goroutines
	once sync.Once
	loop *eventloop.Loop
	own  bool // the loop was made here

	// The loop's goroutine's.
	scratch *[bufferSize]byte
	grams   *[gramRoom]byte // nil until there are some
	cuts    bool            // the system cuts runs of datagrams, if there are some
	loan    berth.Loan
	boxes   [manyBuffers]*link.Buffer // see inboxes
	late    int                       // buffers that flows hold
	live    map[onLoop]struct{}       // the flows that have begun
	closed  bool
}

func (c *carrier) init(g *Gateway) {
	c.g, c.on, c.loop = g, g.cfg.Dial == nil, g.cfg.Loop
	c.live = make(map[onLoop]struct{})
}

// start makes the loop, when there is first something for it to do. It is false
// where there is none.
func (c *carrier) start() bool {
	c.once.Do(func() {
		c.scratch = new([bufferSize]byte)
		if c.loop == nil && c.on {
			c.loop, _ = eventloop.New()
			c.own = c.loop != nil
		}
	})
	return c.on && c.loop != nil
}

// carry takes a flow of the program's over, and is false if it cannot.
func (c *carrier) carry(what policy.Flow, bf *berth.Flow) bool {
	if what.Proto != policy.TCP && what.Proto != policy.UDP || !c.start() {
		return false
	}
	var r *looped
	if what.Proto == policy.TCP {
		f := &conn{}
		f.init(f, c, bf)
		r = &f.looped
	} else {
		f := &gramConn{}
		f.init(f, c, bf)
		r = &f.looped
	}
	r.g, r.what = c.g, what
	if !c.g.admit(&r.flow) {
		bf.Drop()
		return true
	}
	if !c.loop.Post(r.self) {
		c.g.flows.Add(-1)
		bf.Drop()
	}
	return true
}

// inboxes are buffers to read into, at least bufferSize long, that nobody else looks
// at: one, or many if there is no lack of them. Who takes one over puts nil in its
// place.
func (c *carrier) inboxes(many bool) []*link.Buffer {
	boxes := c.boxes[:1]
	if many && c.late < maxLate {
		boxes = c.boxes[:]
	}
	for i, b := range boxes {
		if b == nil || b.Shared() {
			b.Release()
			boxes[i] = link.NewBuffer(bufferSize)
		}
	}
	return boxes
}

// gramRun begins a run of datagrams: one at a time.
func (c *carrier) gramRun() gramRun { return gramRun{buf: c.grams[:]} }

// close ends all flows, and lets none begin any more.
func (c *carrier) close() {
	if !c.start() {
		return
	}
	c.loop.Do(func() {
		c.closed = true
		for r := range c.live {
			r.abort()
		}
	})
}

// finish waits for what was posted, once nobody posts any more.
func (c *carrier) finish() error {
	if !c.start() {
		return nil
	}
	c.loop.Do(func() {})
	if c.own {
		return c.loop.Close()
	}
	return nil
}

// consult asks the Judge, by calling ask, and then has r run: at once if he answers
// at once. It is false if the gateway is closed, and nothing was asked.
func (c *carrier) consult(ask func(), r eventloop.Runner) bool {
	if c.g.cfg.Prompt || c.g.cfg.Judge == nil {
		ask()
		r.Run()
		return true
	}
	return c.g.run(func() {
		ask()
		c.loop.Post(r)
	})
}

// dontWait is how sockets of the program's network are called.
const dontWait = socket.MSG_DONTWAIT
