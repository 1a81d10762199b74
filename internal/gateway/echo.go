package gateway

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"example.com/berth"
)

// Pings between two addresses are one flow, judged once and told of once, until
// there has been none for pingIdle. A reply counts if it comes within pingPatience.
const (
	pingIdle     = 30 * time.Second
	pingPatience = 10 * time.Second
)

// maxPings is the most flows of pings that are remembered; those beyond are judged
// request by request.
const maxPings = 1024

// pings are the flows of pings. The lock guards the map and the timers in it.
type pings struct {
	mu    sync.Mutex
	flows map[pingEnds]*pingFlow
}

type pingEnds struct{ src, dst netip.Addr }

type pingFlow struct {
	*flow
	judged sync.Once
	may    bool
	idle   *time.Timer // nil for one that is not remembered
}

func (p *pings) init() { p.flows = make(map[pingEnds]*pingFlow) }

// join returns the flow that a request belongs to, which f is if there was none.
func (p *pings) join(f *flow) *pingFlow {
	ends := pingEnds{f.what.Src.Addr(), f.what.Dst.Addr()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.flows[ends]; known != nil {
		known.idle.Reset(pingIdle)
		return known
	}
	pf := &pingFlow{flow: f}
	if len(p.flows) < maxPings {
		p.flows[ends] = pf
		pf.idle = time.AfterFunc(pingIdle, func() { p.end(ends, pf) })
	}
	return pf
}

// end forgets a flow that is idle.
func (p *pings) end(ends pingEnds, pf *pingFlow) {
	p.mu.Lock()
	if p.flows[ends] != pf {
		p.mu.Unlock()
		return
	}
	delete(p.flows, ends)
	p.mu.Unlock()
	pf.judged.Do(func() {}) // whoever asks the Judge still, is waited for
	if pf.may {
		pf.tell(Ended, nil)
	}
}

// close ends all.
func (p *pings) close() {
	p.mu.Lock()
	all := make(map[pingEnds]*pingFlow, len(p.flows))
	for ends, pf := range p.flows {
		pf.idle.Stop()
		all[ends] = pf
	}
	p.mu.Unlock()
	for ends, pf := range all {
		p.end(ends, pf)
	}
}

// echo carries a ping.
func (g *Gateway) echo(f *flow, bf *berth.Flow) {
	pf := g.pings.join(f)
	pf.judged.Do(func() {
		if pf.may = pf.allowed(); pf.may {
			pf.tell(Begun, nil)
		}
	})
	if !pf.may {
		bf.Prohibit()
		return
	}
	ctx, cancel := context.WithTimeout(g.ctx, pingPatience)
	defer cancel()
	_, _, data := bf.Echo()
	pf.sent.Add(int64(len(data)))
	err := g.cfg.Ping(ctx, g.outside(f.what.Dst).Addr(), data)
	if err != nil {
		if ctx.Err() == nil { // else it was lost, as pings are
			pf.tell(Failed, err)
		}
		answer(bf, err)
		return
	}
	pf.received.Add(int64(len(data)))
	bf.Reply()
}
