package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// pinger sends echo requests by the operating system's ping sockets, or by raw ones
// where those are not permitted and these are. It has one socket a family, made
// when it is first needed. The lock guards what follows it.
type pinger struct {
	mu      sync.Mutex
	v4, v6  *pingSocket
	closed  bool
	reading sync.WaitGroup
}

// ping sends an echo request and waits for the reply.
func (p *pinger) ping(ctx context.Context, to netip.Addr, data []byte) error {
	s, err := p.socket(to.Is4())
	if err != nil {
		return err
	}
	return s.ping(ctx, to, data)
}

func (p *pinger) socket(four bool) (*pingSocket, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := &p.v4
	if !four {
		at = &p.v6
	}
	switch {
	case p.closed:
		return nil, net.ErrClosed
	case *at != nil:
		return *at, nil
	}
	s, err := openPing(four)
	if err != nil {
		return nil, err
	}
	*at = s
	p.reading.Go(s.read)
	return s, nil
}

func (p *pinger) close() {
	p.mu.Lock()
	p.closed = true
	for _, s := range []*pingSocket{p.v4, p.v6} {
		if s != nil {
			_ = s.conn.Close()
		}
	}
	p.mu.Unlock()
	p.reading.Wait()
}

// A pingSocket is shared by all pings of a family, which it tells apart by the
// sequence numbers that it gives them. The lock guards what follows it.
type pingSocket struct {
	conn *icmp.PacketConn
	four bool
	raw  bool // it hears what others are answered, too
	id   int

	mu      sync.Mutex
	seq     uint16
	waiting map[uint16]waitingPing
}

type waitingPing struct {
	to   netip.Addr
	data []byte
	done chan struct{}
}

// openPing makes a socket of a family.
func openPing(four bool) (*pingSocket, error) {
	ping, raw, any := "udp6", "ip6:ipv6-icmp", "::"
	if four {
		ping, raw, any = "udp4", "ip4:icmp", "0.0.0.0"
	}
	s := &pingSocket{four: four, id: rand.IntN(1 << 16), waiting: make(map[uint16]waitingPing)}
	var err error
	if s.conn, err = icmp.ListenPacket(ping, any); err == nil {
		return s, nil
	}
	if s.conn, err = icmp.ListenPacket(raw, any); err == nil {
		s.raw = true
		return s, nil
	}
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("the system does not let this user ping (net.ipv4.ping_group_range): %w", err)
	}
	return nil, err
}

// ping sends an echo request and waits for the reply.
func (s *pingSocket) ping(ctx context.Context, to netip.Addr, data []byte) error {
	w := waitingPing{to: to, data: data, done: make(chan struct{})}
	seq, ok := s.begin(w)
	if !ok {
		return syscall.ENOBUFS
	}
	defer s.end(seq)
	m := icmp.Message{Type: ipv6.ICMPTypeEchoRequest, Body: &icmp.Echo{ID: s.id, Seq: int(seq), Data: data}}
	if s.four {
		m.Type = ipv4.ICMPTypeEcho
	}
	b, err := m.Marshal(nil)
	if err != nil {
		return err
	}
	var addr net.Addr = &net.UDPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	if s.raw {
		addr = &net.IPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	}
	if _, err := s.conn.WriteTo(b, addr); err != nil {
		return err
	}
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin gives a ping a sequence number. It is false if all are taken.
func (s *pingSocket) begin(w waitingPing) (uint16, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 1<<15 {
		return 0, false
	}
	for s.seq++; s.waiting[s.seq].done != nil; s.seq++ {
	}
	s.waiting[s.seq] = w
	return s.seq, true
}

func (s *pingSocket) end(seq uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, seq)
}

// read takes replies to those who wait for them, until the socket is closed.
func (s *pingSocket) read() {
	b := make([]byte, 64<<10)
	for {
		n, from, err := s.conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.reply(b[:n], from)
		}
	}
}

// reply ends the wait of the ping that a message answers, if it answers one: with
// its data, from where it was sent.
func (s *pingSocket) reply(b []byte, from net.Addr) {
	protocol := 58
	if s.four {
		protocol = 1
	}
	m, err := icmp.ParseMessage(protocol, b)
	if err != nil || m.Type != ipv4.ICMPTypeEchoReply && m.Type != ipv6.ICMPTypeEchoReply {
		return
	}
	echo, ok := m.Body.(*icmp.Echo)
	if !ok || s.raw && echo.ID != s.id {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiting[uint16(echo.Seq)]
	if w.done == nil || w.to.WithZone("") != addrOf(from) || !bytes.Equal(w.data, echo.Data) {
		return
	}
	delete(s.waiting, uint16(echo.Seq))
	close(w.done)
}

// addrOf is the address of a ping socket's or a raw one's peer.
func addrOf(a net.Addr) netip.Addr {
	var ip net.IP
	switch a := a.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	}
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}
