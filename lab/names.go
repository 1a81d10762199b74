package lab

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"example.com/berth/netconn"
)

// LookupNetIP returns the addresses of a host of the network, so that a Host is
// a netconn.Resolver. Names are not case-sensitive; "localhost" and the host's
// own name without a link are its loopback addresses.
func (h *Host) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	hosts := &netconn.DNS{Provider: h, Hosts: map[string][]netip.Addr{}}
	key := strings.ToLower(strings.TrimSuffix(name, "."))
	addrs, ok := h.net.lookup(h, key)
	if !ok {
		return nil, &net.DNSError{Err: "no such host in the lab", Name: name, IsNotFound: true}
	}
	hosts.Hosts[key] = addrs
	return hosts.LookupNetIP(ctx, network, name)
}

// Resolver returns what looks up names on this host: the host itself.
func (h *Host) Resolver() netconn.Resolver { return h }

// loopback are the addresses of localhost.
var loopback = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

// lookup gives the addresses of a name as host h sees it.
func (n *Network) lookup(h *Host, name string) ([]netip.Addr, bool) {
	if name == "localhost" {
		return loopback, true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	v, ok := n.names[name]
	if !ok {
		for k, other := range n.names {
			if strings.EqualFold(k, name) {
				v, ok = other, true
			}
		}
	}
	if !ok {
		return nil, false
	}
	found := hostOf(v)
	if found == nil {
		return nil, false
	}
	addrs := found.Addrs()
	if len(addrs) == 0 && found == h {
		return loopback, true
	}
	return addrs, len(addrs) > 0
}
