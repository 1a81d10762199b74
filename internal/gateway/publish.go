package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/internal/policy"
	"example.com/berth/socket"
)

// insidePatience is how long the program's host may take to accept a connection
// that comes to a published port.
const insidePatience = 10 * time.Second

// Publish lets the world reach a port inside: what comes to outside, an address of
// the operating system's ("127.0.0.1:8080", ":0"), by the network "tcp" or "udp",
// goes on to inside, from the gateway's own address. It returns the address outside.
// The Judge is not asked. It ends with Close.
func (g *Gateway) Publish(network, outside string, inside netip.AddrPort) (netip.AddrPort, error) {
	switch network {
	case "tcp":
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		ln, err := lc.Listen(g.ctx, network, outside)
		if err != nil {
			return netip.AddrPort{}, err
		}
		context.AfterFunc(g.ctx, func() { _ = ln.Close() })
		if !g.run(func() { g.publishConns(ln, inside) }) {
			return netip.AddrPort{}, net.ErrClosed
		}
		return addrPortOf(ln.Addr()), nil
	case "udp":
		pc, err := new(net.ListenConfig).ListenPacket(g.ctx, network, outside)
		if err != nil {
			return netip.AddrPort{}, err
		}
		context.AfterFunc(g.ctx, func() { _ = pc.Close() })
		p := &published{g: g, pc: pc.(*net.UDPConn), inside: inside, flows: make(map[netip.AddrPort]*publishedFlow)}
		if !g.run(p.read) {
			return netip.AddrPort{}, net.ErrClosed
		}
		return addrPortOf(pc.LocalAddr()), nil
	}
	return netip.AddrPort{}, fmt.Errorf("gateway: publish %s: want tcp or udp", network)
}

// inward is a flow that comes to a published port.
func (g *Gateway) inward(proto policy.Proto, from net.Addr, inside netip.AddrPort) *flow {
	return &flow{
		g: g, inwards: true, verdict: policy.Verdict{Allow: true},
		what: policy.Flow{Proto: proto, Src: addrPortOf(from), Dst: inside},
	}
}

// publishConns takes connections to a published port.
func (g *Gateway) publishConns(ln net.Listener, inside netip.AddrPort) {
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptor: one may be free soon
			select {
			case <-time.After(10 * time.Millisecond):
				continue
			case <-g.ctx.Done():
				return
			}
		}
		f := g.inward(policy.TCP, c.RemoteAddr(), inside)
		if !g.begin(f, func() { g.connectInside(f, c) }) {
			resetConn(c)
		}
	}
}

// connectInside carries a connection of the world's to the program.
func (g *Gateway) connectInside(f *flow, c net.Conn) {
	s, err := g.insideSocket(socket.STREAM, f.what.Dst)
	if err != nil {
		f.tell(Failed, err)
		resetConn(c)
		return
	}
	f.carry(s, c)
}

// insideSocket is a socket of the gateway's host that is connected to the program.
func (g *Gateway) insideSocket(typ socket.Type, to netip.AddrPort) (socket.Socket, error) {
	domain := socket.INET
	if to.Addr().Is6() {
		domain = socket.INET6
	}
	s, err := g.host.Socket(domain, typ, 0)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(g.ctx, insidePatience)
	defer cancel()
	if err := s.Connect(ctx, to); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// published is a published port of UDP. The lock guards flows.
type published struct {
	g      *Gateway
	pc     *net.UDPConn
	inside netip.AddrPort

	mu    sync.Mutex
	flows map[netip.AddrPort]*publishedFlow // by who sends
}

// A publishedFlow is what one end outside sends to a published port, and is sent.
type publishedFlow struct {
	*flow
	from netip.AddrPort
	in   socket.Socket
	last atomic.Int64 // as in grams
}

// read takes datagrams of the world's to the program.
func (p *published) read() {
	b := make([]byte, bufferSize)
	for {
		n, from, err := p.pc.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // an ICMP error about an answer
			continue
		}
		f := p.flow(from)
		if f == nil {
			continue
		}
		f.last.Store(int64(time.Since(f.begun)))
		if k, err := f.in.Send(b[:n], 0); err == nil {
			f.received.Add(int64(k))
		}
	}
}

// flow returns the flow of a sender, and begins it if there is none; nil if there is
// no room for another.
func (p *published) flow(from netip.AddrPort) *publishedFlow {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.flows[from]; f != nil {
		return f
	}
	in, err := p.g.insideSocket(socket.DGRAM, p.inside)
	if err != nil {
		return nil
	}
	f := &publishedFlow{flow: p.g.inward(policy.UDP, net.UDPAddrFromAddrPort(from), p.inside), from: from, in: in}
	p.flows[from] = f
	if !p.g.begin(f.flow, func() { p.answers(f) }) {
		delete(p.flows, from)
		_ = in.Close()
		return nil
	}
	return f
}

// answers takes datagrams of the program's to the world, until the flow is idle.
func (p *published) answers(f *publishedFlow) {
	f.tell(Begun, nil)
	defer func() {
		p.mu.Lock()
		delete(p.flows, f.from)
		p.mu.Unlock()
		_ = f.in.Close()
		f.tell(Ended, nil)
	}()
	for {
		idle := f.begun.Add(time.Duration(f.last.Load()) + p.g.cfg.UDPIdle)
		_ = f.in.SetReadDeadline(idle)
		b, n, err := receiveGram(f.in)
		switch {
		case err == nil:
			f.last.Store(int64(time.Since(f.begun)))
			if k, err := p.pc.WriteToUDPAddrPort(b[:n], f.from); err == nil {
				f.sent.Add(int64(k))
			}
			buffers.Put(b)
		case isTimeout(err) && time.Now().Before(f.begun.Add(time.Duration(f.last.Load())+p.g.cfg.UDPIdle)):
		case p.g.ctx.Err() != nil || isTimeout(err):
			return
		}
	}
}
