package lab

import "example.com/berth"

// A Router is a host that forwards between its links. It is a Host in all else:
// it can be dialled, and can itself dial.
type Router struct{ Host }

// Router makes a router, or returns the one of that name.
func (n *Network) Router(name string, opts ...HostOption) *Router {
	if n.tb != nil {
		n.tb.Helper()
	}
	n.mu.Lock()
	r, ok := n.names[name].(*Router)
	n.mu.Unlock()
	if ok && len(opts) == 0 {
		return r
	}
	r = &Router{}
	forwards := func(c *berth.Config) { c.Forwarding = true }
	n.addHost("router", name, "router", r, &r.Host, append([]HostOption{forwards}, opts...))
	return r
}
