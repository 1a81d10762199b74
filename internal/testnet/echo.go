package testnet

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// Echo is the least of hosts, to test devices with: it answers echo requests to
// its addresses, and on Ethernet the question for its Ethernet address (ARP,
// neighbor solicitation). It is a link.Handler; what it does not answer goes to
// Other.
type Echo struct {
	Device link.Device
	Addrs  []netip.Addr
	// Other, if not nil, is called with each frame that is not answered.
	Other func(*link.Frame)
	// OnChange, if not nil, is called when the device's Info has changed.
	OnChange func(link.Info)

	t testing.TB
}

// NewEcho returns an Echo that is not attached yet.
func NewEcho(t testing.TB, d link.Device, addrs ...string) *Echo {
	e := &Echo{Device: d, t: t}
	for _, a := range addrs {
		e.Addrs = append(e.Addrs, netip.MustParseAddr(a))
	}
	return e
}

// Attach makes it the device's handler.
func (e *Echo) Attach() *Echo {
	e.t.Helper()
	if err := e.Device.Attach(e); err != nil {
		e.t.Fatal(err)
	}
	return e
}

// Changed implements link.Handler.
func (e *Echo) Changed() {
	if e.OnChange != nil {
		e.OnChange(e.Device.Info())
	}
}

// Input implements link.Handler.
func (e *Echo) Input(frames []link.Frame) {
	for i := range frames {
		answer := e.answer(frames[i].AppendTo(nil))
		switch {
		case answer != nil:
			_, err := e.Device.Output([]link.Frame{{Head: answer}})
			// The kernel may ask something while the test closes the device.
			if err != nil && !errors.Is(err, link.ErrClosed) {
				e.t.Errorf("echo: %v", err)
			}
		case e.Other != nil:
			e.Other(&frames[i])
		}
	}
}

// answer returns the frame that answers one, or nil.
func (e *Echo) answer(b []byte) []byte {
	if e.Device.Info().Medium == link.IP {
		return e.packet(nil, b)
	}
	var eth header.Ethernet
	rest, err := eth.Parse(b)
	if err != nil {
		return nil
	}
	own := header.MAC(e.Device.Info().Addr)
	if eth.Dst != own && eth.Dst[0]&1 == 0 {
		return nil
	}
	back := header.Ethernet{Dst: eth.Src, Src: own, Type: eth.Type}
	if eth.Type == header.EtherTypeARP {
		return e.arp(back, rest)
	}
	return e.packet(back.Append(nil), rest)
}

func (e *Echo) arp(back header.Ethernet, b []byte) []byte {
	var q header.ARP
	if _, err := q.Parse(b); err != nil || q.Op != header.ARPRequest || !slices.Contains(e.Addrs, q.Target) {
		return nil
	}
	a := header.ARP{
		Op:       header.ARPReply,
		SenderHW: back.Src, Sender: q.Target,
		TargetHW: q.SenderHW, Target: q.Sender,
	}
	return a.Append(back.Append(nil))
}

// packet returns what answers an IP packet, after the link's header.
func (e *Echo) packet(head, b []byte) []byte {
	if len(b) > 0 && b[0]>>4 == 4 {
		var ip header.IPv4
		body, err := ip.Parse(b)
		if err != nil || ip.Protocol != header.ProtocolICMP || len(body) < 8 ||
			body[0] != header.ICMPv4EchoRequest || !slices.Contains(e.Addrs, ip.Dst) {
			return nil
		}
		body = slices.Clone(body)
		body[0] = header.ICMPv4EchoReply
		header.PutICMPv4Checksum(body)
		ip = header.IPv4{TTL: 64, Protocol: ip.Protocol, Src: ip.Dst, Dst: ip.Src, PayloadLen: len(body)}
		return append(ip.Append(head), body...)
	}
	var ip header.IPv6
	body, err := ip.Parse(b)
	if err != nil || ip.NextHeader != header.ProtocolICMPv6 || len(body) < 8 {
		return nil
	}
	from, body := e.icmpv6(&ip, body)
	if body == nil {
		return nil
	}
	header.PutICMPv6Checksum(body, from, ip.Src)
	back := header.IPv6{HopLimit: 255, NextHeader: ip.NextHeader, Src: from, Dst: ip.Src, PayloadLen: len(body)}
	return append(back.Append(head), body...)
}

// icmpv6 returns the message that answers one, and the address it comes from.
func (e *Echo) icmpv6(ip *header.IPv6, body []byte) (netip.Addr, []byte) {
	switch body[0] {
	case header.ICMPv6EchoRequest:
		if !slices.Contains(e.Addrs, ip.Dst) {
			break
		}
		body = slices.Clone(body)
		body[0] = header.ICMPv6EchoReply
		return ip.Dst, body
	case header.ICMPv6NeighborSolicit:
		var q header.NeighborSolicit
		if _, err := q.Parse(body); err != nil || !slices.Contains(e.Addrs, q.Target) || ip.Src.IsUnspecified() {
			break
		}
		a := header.NeighborAdvert{
			Target: q.Target, Solicited: true, Override: true,
			TargetHW: header.MAC(e.Device.Info().Addr), HasTargetHW: true,
		}
		return q.Target, a.Append(nil)
	}
	return netip.Addr{}, nil
}
