package autoconf

import (
	"net/netip"
	"time"
)

var defaultRoute = netip.MustParsePrefix("::/0")

// Route shows a route that was learned.
type Route struct {
	Prefix     netip.Prefix
	Gateway    netip.Addr // zero if the prefix is on the link
	Preference int8       // 1 high, 0 medium, -1 low
	Until      time.Duration
}

type route struct{ Route }

// Routes appends what was learned to buf: the prefixes on the link, and the
// routes through routers.
func (i *Interface) Routes(buf []Route) []Route {
	for _, list := range [][]*route{i.prefixes, i.routes} {
		for _, r := range list {
			buf = append(buf, r.Route)
		}
	}
	return buf
}

// setRoute takes a route with its lifetime; 0 ends it.
func (i *Interface) setRoute(now time.Duration, list *[]*route, limit int, n Route, lifetime time.Duration) {
	at := -1
	for k, r := range *list {
		if r.Prefix == n.Prefix && r.Gateway == n.Gateway {
			at = k
		}
	}
	n.Until = until(now, lifetime)
	switch {
	case lifetime == 0 && at < 0:
	case lifetime == 0:
		i.removeRoute(list, at)
	case at >= 0:
		r := (*list)[at]
		changed := r.Preference != n.Preference
		r.Route = n
		if changed {
			i.addRoute(n)
		}
	case len(*list) < limit || i.giveWay(list, n):
		*list = append(*list, &route{n})
		i.addRoute(n)
	default:
		i.stats.Refused++
	}
}

// giveWay removes, for a new route, the one of least preference that ends first,
// if it is of less preference than the new one.
func (i *Interface) giveWay(list *[]*route, n Route) bool {
	least := 0
	for k, r := range *list {
		if l := (*list)[least]; r.Preference < l.Preference || r.Preference == l.Preference && r.Until < l.Until {
			least = k
		}
	}
	if len(*list) == 0 || (*list)[least].Preference >= n.Preference {
		return false
	}
	i.stats.Refused++
	i.removeRoute(list, least)
	return true
}

func (i *Interface) addRoute(r Route) {
	i.emit(Action{Op: AddRoute, Prefix: r.Prefix, Addr: r.Gateway, Preference: r.Preference})
}

func (i *Interface) removeRoute(list *[]*route, at int) {
	r := (*list)[at]
	*list = append((*list)[:at], (*list)[at+1:]...)
	i.emit(Action{Op: RemoveRoute, Prefix: r.Prefix, Addr: r.Gateway})
}

func (i *Interface) expireRoutes(now time.Duration, list []*route) []*route {
	for k := 0; k < len(list); {
		if now < list[k].Until {
			k++
			continue
		}
		i.removeRoute(&list, k)
	}
	return list
}

// RouterGone removes the default route through a router that says that it is one
// no more (RFC 4861 section 7.2.5).
func (i *Interface) RouterGone(addr netip.Addr) {
	addr = addr.WithZone("")
	for k := 0; k < len(i.routes); {
		if r := i.routes[k]; r.Gateway == addr {
			i.removeRoute(&i.routes, k)
			continue
		}
		k++
	}
}

func (i *Interface) hasDefaultRouter() bool {
	for _, r := range i.routes {
		if r.Prefix == defaultRoute {
			return true
		}
	}
	return false
}
