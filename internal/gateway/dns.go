package gateway

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"time"

	"example.com/berth/netconn"
)

// Questions that are answered at a time, over UDP, and connections that may bring
// some; what comes beyond is dropped, and asked again. A connection that is silent
// for dnsIdle is closed (RFC 7766 section 6.2.3).
const (
	maxQuestions   = 256
	maxDNSConns    = 64
	dnsIdle        = 10 * time.Second
	maxDNSDatagram = 4096
)

// serveDNS answers the questions that come to an address of the gateway's.
func (g *Gateway) serveDNS(at netip.AddrPort) error {
	pc, err := netconn.ListenPacket(g.host, "udp", at.String())
	if err != nil {
		return err
	}
	ln, err := netconn.Listen(g.host, "tcp", at.String())
	if err != nil {
		return err
	}
	g.run(func() { g.dnsDatagrams(pc) })
	g.run(func() { g.dnsConns(ln) })
	return nil
}

// dnsDatagrams answers questions that come in datagrams, until the host is closed.
func (g *Gateway) dnsDatagrams(pc net.PacketConn) {
	defer pc.Close()
	room := make(chan struct{}, maxQuestions)
	for {
		b := make([]byte, maxDNSDatagram)
		n, from, err := pc.ReadFrom(b)
		if g.ctx.Err() != nil {
			return
		}
		if err != nil { // an ICMP error about an answer
			continue
		}
		select {
		case room <- struct{}{}:
		default:
			g.dropped.questions.Add(1)
			continue
		}
		if !g.run(func() {
			defer func() { <-room }()
			if answer := g.cfg.DNS(g.ctx, addrPortOf(from), b[:n], false); answer != nil {
				_, _ = pc.WriteTo(answer, from)
			}
		}) {
			return
		}
	}
}

// dnsConns takes connections that bring questions, until the host is closed.
func (g *Gateway) dnsConns(ln net.Listener) {
	defer ln.Close()
	room := make(chan struct{}, maxDNSConns)
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		select {
		case room <- struct{}{}:
		default:
			g.dropped.questions.Add(1)
			_ = c.Close()
			continue
		}
		if !g.run(func() {
			defer func() { <-room }()
			defer c.Close()
			g.dnsConn(c)
		}) {
			_ = c.Close()
			return
		}
	}
}

// dnsConn answers the questions of a connection, one after the other (RFC 1035
// section 4.2.2).
func (g *Gateway) dnsConn(c net.Conn) {
	from := addrPortOf(c.RemoteAddr())
	var b [2 + 1<<16]byte
	for {
		_ = c.SetDeadline(time.Now().Add(dnsIdle))
		if _, err := io.ReadFull(c, b[:2]); err != nil {
			return
		}
		question := b[2 : 2+binary.BigEndian.Uint16(b[:])]
		if _, err := io.ReadFull(c, question); err != nil {
			return
		}
		_ = c.SetDeadline(time.Time{})
		answer := g.cfg.DNS(g.ctx, from, question, true)
		if answer == nil || len(answer) > 1<<16-1 {
			return
		}
		_ = c.SetDeadline(time.Now().Add(dnsIdle))
		out := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(answer)), uint16(len(answer)))
		if _, err := c.Write(append(out, answer...)); err != nil {
			return
		}
	}
}

// addrPortOf is the end that an address of package net names.
func addrPortOf(a net.Addr) netip.AddrPort {
	if a, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
