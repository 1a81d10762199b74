package autoconf

import (
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
)

// dnsEntry is a server or a search domain.
type dnsEntry struct {
	_ lean.Incomparable

	server netip.Addr
	domain string
	until  time.Duration
}

// indexDNS returns where a list has a server or domain; -1 if it does not. A copy at every
// call would be much.
//
//go:noinline
func indexDNS(list []dnsEntry, e *dnsEntry) int {
	for at := range list {
		if d := &list[at]; d.server == e.server && d.domain == e.domain {
			return at
		}
	}
	return -1
}

// removeDNS returns a list without one entry, in its memory; it is no copy at every call,
// either.
//
//go:noinline
func removeDNS(list []dnsEntry, at int) []dnsEntry { return append(list[:at], list[at+1:]...) }

// DNS gives the servers and the search domains that routers told of, the last
// told first. A link-local server has no zone; it is this interface's.
func (i *Interface) DNS() (servers []netip.Addr, domains []string) {
	for _, d := range i.servers {
		servers = append(servers, d.server)
	}
	for _, d := range i.domains {
		domains = append(domains, d.domain)
	}
	return servers, domains
}

// dns takes the DNS options (RFC 8106 section 5.3.1).
func (i *Interface) dns(now time.Duration, ra *header.RouterAdvert) {
	changed := false
	for _, o := range ra.RDNSS {
		var list []dnsEntry
		for _, s := range o.Servers {
			if s.IsMulticast() || s.IsUnspecified() || s.IsLoopback() {
				i.stats.Ignored++
				continue
			}
			list = append(list, dnsEntry{server: s})
		}
		changed = i.mergeDNS(now, &i.servers, list, o.Lifetime) || changed
	}
	for _, o := range ra.DNSSL {
		var list []dnsEntry
		for _, d := range o.Domains {
			list = append(list, dnsEntry{domain: d})
		}
		changed = i.mergeDNS(now, &i.domains, list, o.Lifetime) || changed
	}
	if changed {
		i.emit(Action{Op: SetDNS})
	}
}

// mergeDNS takes the entries of one option: lifetimes are set anew, those of
// lifetime 0 go, and new ones come first, in the option's order (RFC 8106
// section 6.2).
func (i *Interface) mergeDNS(now time.Duration, list *[]dnsEntry, told []dnsEntry, lifetime time.Duration) (changed bool) {
	var fresh []dnsEntry
	for _, e := range told {
		e.until = until(now, lifetime)
		at := indexDNS(*list, &e)
		switch {
		case indexDNS(fresh, &e) >= 0:
		case at < 0 && lifetime == 0:
		case at < 0 && len(fresh) == i.cfg.MaxDNS:
			i.stats.Refused++
		case at < 0:
			fresh = append(fresh, e)
		case lifetime == 0:
			*list = removeDNS(*list, at)
			changed = true
		default:
			(*list)[at].until = e.until
		}
	}
	if len(fresh) == 0 {
		return changed
	}
	for len(*list)+len(fresh) > i.cfg.MaxDNS {
		first := 0 // to end
		for k, d := range *list {
			if d.until < (*list)[first].until {
				first = k
			}
		}
		*list = removeDNS(*list, first)
		i.stats.Refused++
	}
	*list = append(fresh, *list...)
	return true
}

func (i *Interface) expireDNS(now time.Duration) {
	changed := false
	for _, list := range []*[]dnsEntry{&i.servers, &i.domains} {
		kept := (*list)[:0]
		for _, d := range *list {
			if now < d.until {
				kept = append(kept, d)
			}
		}
		changed = changed || len(kept) != len(*list)
		*list = kept
	}
	if changed {
		i.emit(Action{Op: SetDNS})
	}
}
