package netconn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"example.com/berth/internal/route"
	"example.com/berth/socket"
)

// A Resolver gives the addresses of names. *net.Resolver is one (the operating
// system's), and [DNS].
type Resolver interface {
	// LookupNetIP returns the addresses of host: network is "ip" for those of
	// both families, "ip4" or "ip6". Without any, the error is a *net.DNSError
	// with IsNotFound.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// query is an address string to be turned into addresses.
type query struct {
	provider socket.Provider
	resolver Resolver
	address  string
	local    net.Addr // what the addresses have to go with, or nil
	dial     bool
	network  network // set by resolve
}

// literal is resolve for an address with nothing to look up, which is most that
// programs dial again and again. It is false for any that resolve has to see.
func (q *query) literal(network string) (to netip.AddrPort, ok bool) {
	var err error
	if q.network, err = parseNetwork(network); err != nil || q.network.kind == "ip" || q.local != nil {
		return to, false
	}
	if to, err = netip.ParseAddrPort(q.address); err != nil {
		return to, false
	}
	to = unmap(to)
	return to, q.network.family == 0 || to.Addr().Is4() == (q.network.family == '4')
}

// resolve returns the addresses, at least one, in the order in which to try
// them. The zero Addr stands for no host. The errors are those of package net.
func (q *query) resolve(ctx context.Context, network string) (list []netip.AddrPort, err error) {
	if q.network, err = parseNetwork(network); err != nil {
		return nil, err
	}
	if q.dial && q.address == "" {
		return nil, errMissingAddress
	}
	host, port := q.address, 0
	if q.network.kind != "ip" && q.address != "" {
		var service string
		if host, service, err = net.SplitHostPort(q.address); err != nil {
			return nil, err
		}
		word, _, _ := strings.Cut(network, ":")
		if port, err = net.DefaultResolver.LookupPort(ctx, word, service); err != nil {
			return nil, err
		}
	}
	addrs := []netip.Addr{{}}
	if host != "" {
		if addrs, err = q.hosts(ctx, host); err != nil {
			return nil, err
		}
	}
	for _, a := range addrs {
		list = append(list, netip.AddrPortFrom(a, uint16(port)))
	}
	return q.suitable(list)
}

// hosts returns the addresses of a host of the network's family.
func (q *query) hosts(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, err := q.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	kept := addrs[:0:0]
	for _, a := range addrs {
		a = a.Unmap()
		if q.network.family == 0 || a.Is4() == (q.network.family == '4') {
			kept = append(kept, a)
		}
	}
	if len(kept) == 0 {
		return nil, &net.AddrError{Err: noSuitableAddress, Addr: host}
	}
	if len(kept) > 1 {
		kept = order(ctx, q.provider, kept)
	}
	return kept, nil
}

func (q *query) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	r := q.resolver
	if r == nil {
		r, _ = q.provider.(Resolver)
	}
	if r == nil {
		return nil, &net.DNSError{Err: "no resolver", Name: host, IsNotFound: true}
	}
	network := "ip"
	if q.network.family != 0 {
		network += string(rune(q.network.family))
	}
	addrs, err := r.LookupNetIP(ctx, network, host)
	if err == nil {
		return addrs, nil
	}
	if _, ok := errors.AsType[*net.DNSError](err); !ok {
		err = dnsError(err, host, "")
	}
	return nil, err
}

// suitable keeps the addresses that go with the local one.
func (q *query) suitable(list []netip.AddrPort) ([]netip.AddrPort, error) {
	if q.local == nil {
		return list, nil
	}
	local, ok := q.network.kind.addrPort(q.local)
	if !ok {
		return nil, &net.AddrError{Err: "mismatched local address type", Addr: q.local.String()}
	}
	kept := list[:0:0]
	for _, a := range list {
		if isWildcard(local.Addr()) || isWildcard(a.Addr()) || local.Addr().Is4() == a.Addr().Is4() {
			kept = append(kept, a)
		}
	}
	if len(kept) == 0 {
		return nil, &net.AddrError{Err: noSuitableAddress, Addr: q.local.String()}
	}
	return kept, nil
}

// order puts addresses in the order of RFC 6724 section 6. Which source a
// destination would get is asked of the provider, if it can tell, or else tried
// with a socket that sends nothing.
func order(ctx context.Context, p socket.Provider, addrs []netip.Addr) []netip.Addr {
	list := make([]route.Destination, len(addrs))
	for i, a := range addrs {
		list[i] = route.Destination{Addr: a, Source: source(ctx, p, a)}
	}
	new(route.Selector).Sort(list)
	for i := range list {
		addrs[i] = list[i].Addr
	}
	return addrs
}

// source is the address that packets to dst would have, or the zero Addr.
func source(ctx context.Context, p socket.Provider, dst netip.Addr) netip.Addr {
	if h, ok := p.(interface {
		SourceAddr(dst netip.Addr) (netip.Addr, error)
	}); ok { // a berth host knows
		src, _ := h.SourceAddr(dst)
		return src.WithZone("")
	}
	domain := socket.INET6
	if dst.Is4() {
		domain = socket.INET
	}
	s, err := p.Socket(domain, socket.DGRAM, 0)
	if err != nil {
		return netip.Addr{}
	}
	defer s.Close()
	// Nothing is sent: the port matters to nobody.
	if err := s.Connect(ctx, netip.AddrPortFrom(dst, 9)); err != nil {
		return netip.Addr{}
	}
	return s.LocalAddr().Addr().WithZone("")
}
