package route

import (
	"net/netip"
	"time"
)

// A Gateway is a next hop on a link.
type Gateway struct {
	Addr      netip.Addr // without a zone
	Interface int
}

// gatewayOf is the gateway of a route that has one.
func gatewayOf(r *Route) (Gateway, bool) {
	return Gateway{r.Gateway.WithZone(""), r.Interface}, r.Gateway.IsValid()
}

// AskInterval is the least time between two questions whether a gateway that did
// not answer is back (RFC 4191 section 3.5).
const AskInterval = time.Minute

// maxDead bounds the gateways that Gateways knows. Of more the one is forgotten,
// and so taken to be alive, that fell silent first.
const maxDead = 256

// Gateways knows which gateways have stopped answering, so that another route to
// the same prefix is taken for as long as there is one (RFC 1122 section 3.3.1.5,
// RFC 4191 section 3.2). Such a gateway is to be asked again now and then, while
// somebody would use it. The zero Gateways knows of none. It is not safe for
// concurrent use.
type Gateways struct {
	dead map[Gateway]*deadGateway
}

type deadGateway struct {
	since  time.Duration
	rest   time.Duration // it is not to be asked until then; 0: it may be
	wanted bool          // somebody would use it, and it has rested
}

// Len is how many gateways do not answer.
func (g *Gateways) Len() int { return len(g.dead) }

// Lost tells that a gateway does not answer. It is true if that is news.
func (g *Gateways) Lost(now time.Duration, gw Gateway) bool {
	if d := g.dead[gw]; d != nil {
		d.rest, d.wanted = now+AskInterval, false
		return false
	}
	if g.dead == nil {
		g.dead = make(map[Gateway]*deadGateway)
	}
	if len(g.dead) >= maxDead {
		g.forgetFirst()
	}
	g.dead[gw] = &deadGateway{since: now, rest: now + AskInterval}
	return true
}

func (g *Gateways) forgetFirst() {
	var first Gateway
	for gw, d := range g.dead {
		if f := g.dead[first]; f == nil || d.since < f.since {
			first = gw
		}
	}
	delete(g.dead, first)
}

// Found tells that a gateway answers. It is true if that is news.
func (g *Gateways) Found(gw Gateway) bool {
	_, was := g.dead[gw]
	delete(g.dead, gw)
	return was
}

// Avoid tells whether a route's gateway does not answer. That somebody would
// have used it is noted, if it may be asked again.
func (g *Gateways) Avoid(r *Route) bool {
	gw, ok := gatewayOf(r)
	d := g.dead[gw]
	if !ok || d == nil {
		return false
	}
	d.wanted = d.wanted || d.rest == 0
	return true
}

// Wanted tells whether a gateway is to be asked.
func (g *Gateways) Wanted() bool {
	for _, d := range g.dead {
		if d.wanted {
			return true
		}
	}
	return false
}

// Ask appends the gateways to ask now to buf. Each rests after that.
func (g *Gateways) Ask(now time.Duration, buf []Gateway) []Gateway {
	for gw, d := range g.dead {
		if d.wanted {
			buf = append(buf, gw)
			d.rest, d.wanted = now+AskInterval, false
		}
	}
	return buf
}

// Deadline is when the next gateway has rested; 0 if none rests.
func (g *Gateways) Deadline() (next time.Duration) {
	for _, d := range g.dead {
		if d.rest != 0 && (next == 0 || d.rest < next) {
			next = d.rest
		}
	}
	return next
}

// Timer ends the rests that are over. It is true if there were any: who has a
// route in use should look it up again, so that Avoid learns who wants what.
func (g *Gateways) Timer(now time.Duration) (rested bool) {
	for _, d := range g.dead {
		if d.rest != 0 && d.rest <= now {
			d.rest, rested = 0, true
		}
	}
	return rested
}
