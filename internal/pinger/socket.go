package pinger

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// open makes the socket: a ping socket if that may be, else a raw one.
func open(p socket.Provider, v4 bool) (s socket.Socket, raw bool, err error) {
	domain, protocol := socket.INET6, socket.IPPROTO_ICMPV6
	if v4 {
		domain, protocol = socket.INET, socket.IPPROTO_ICMP
	}
	if s, err = p.Socket(domain, socket.DGRAM, protocol); err == nil {
		return s, false, prepare(s, v4, false)
	}
	if s, err = p.Socket(domain, socket.RAW, protocol); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			return nil, false, fmt.Errorf("%w: neither ping sockets (the sysctl net.ipv4.ping_group_range) nor raw ones (CAP_NET_RAW) are allowed here", err)
		}
		return nil, false, err
	}
	return s, true, prepare(s, v4, true)
}

// prepare makes the socket tell what there is to know of an answer, and of
// errors, and keeps the traffic of others out. What a provider does not have is
// done without.
func prepare(s socket.Socket, v4, raw bool) error {
	if v4 {
		_ = socket.Set(s, socket.IP_RECVTTL, 1)
		_ = socket.Set(s, socket.IP_RECVERR, 1)
	} else {
		_ = socket.Set(s, socket.IPV6_RECVHOPLIMIT, 1)
		_ = socket.Set(s, socket.IPV6_RECVERR, 1)
	}
	if !raw {
		return nil
	}
	if v4 {
		return socket.Set(s, socket.ICMP_FILTER, ^uint32(1<<header.ICMPv4EchoReply))
	}
	var block [8]uint32
	for i := range block {
		block[i] = ^uint32(0)
	}
	block[header.ICMPv6EchoReply/32] &^= 1 << (header.ICMPv6EchoReply % 32)
	return socket.Set(s, socket.ICMPV6_FILTER, block)
}

func setTTL(s socket.Socket, v4 bool, ttl int) error {
	if v4 {
		return errors.Join(socket.Set(s, socket.IP_TTL, ttl), socket.Set(s, socket.IP_MULTICAST_TTL, ttl))
	}
	return errors.Join(socket.Set(s, socket.IPV6_UNICAST_HOPS, ttl), socket.Set(s, socket.IPV6_MULTICAST_HOPS, ttl))
}

// to is the address to send to: neither kind of socket has ports.
func to(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 0) }
