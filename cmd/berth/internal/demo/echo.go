package demo

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// echoID tells our echo requests from those of others.
const echoID = 0xbe47

// echoes is the third scene: a ping on raw sockets, of which one half goes over
// IPv4 and the other over IPv6. Bob's host answers by itself.
func (n *network) echoes(ctx context.Context) (note string, err error) {
	again := 0
	for _, v := range []struct {
		domain   socket.Domain
		protocol socket.Protocol
		to       netip.Addr
	}{
		{socket.INET, socket.IPPROTO_ICMP, n.bob.v4},
		{socket.INET6, socket.IPPROTO_ICMPV6, n.bob.v6},
	} {
		a, err := n.alice.open(n.trace, v.domain, socket.RAW, v.protocol)
		if err != nil {
			return "", err
		}
		if err := a.connect(ctx, netip.AddrPortFrom(v.to, 0)); err != nil {
			return "", err
		}
		for seq := 1; seq <= questions/2; seq++ {
			k, err := a.ask(ctx, n, v.to.Is4(), uint16(seq))
			if err != nil {
				return "", fmt.Errorf("echo request %d to %v: %w", seq, v.to, err)
			}
			again += k - 1
		}
		if err := a.close(); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d of %d were answered%s", questions, questions, resent(again)), nil
}

// ask sends an echo request until it is answered.
func (a *actor) ask(ctx context.Context, n *network, v4 bool, seq uint16) (sent int, err error) {
	what := func(b []byte) string {
		if isReply(b, v4, seq) {
			return fmt.Sprintf("echo reply %d", seq)
		}
		return fmt.Sprintf("echo request %d", seq)
	}
	return a.insist(ctx, n.patience(),
		func() error { return a.send(echoRequest(v4, seq), what) },
		func(buf []byte) (bool, error) {
			k, err := a.recv(buf, what)
			return err == nil && isReply(buf[:k], v4, seq), err
		})
}

// echoRequest builds the message byte by byte (RFC 792, RFC 4443 4.1). For IPv6
// the host fills the checksum in, since it covers the addresses.
func echoRequest(v4 bool, seq uint16) []byte {
	b := make([]byte, 8, 64)
	b[0] = header.ICMPv6EchoRequest
	if v4 {
		b[0] = header.ICMPv4EchoRequest
	}
	binary.BigEndian.PutUint16(b[4:], echoID)
	binary.BigEndian.PutUint16(b[6:], seq)
	for len(b) < cap(b) {
		b = append(b, byte(len(b)))
	}
	if v4 {
		binary.BigEndian.PutUint16(b[2:], header.Fold(header.Sum(b, 0)))
	}
	return b
}

// isReply tells whether b answers the request. An IPv4 socket gives the packet
// with its IP header.
func isReply(b []byte, v4 bool, seq uint16) bool {
	want := byte(header.ICMPv6EchoReply)
	if v4 {
		want = header.ICMPv4EchoReply
		if len(b) < header.IPv4MinLen {
			return false
		}
		b = b[min(len(b), int(b[0]&15)*4):]
	}
	return len(b) >= 8 && b[0] == want &&
		binary.BigEndian.Uint16(b[4:]) == echoID && binary.BigEndian.Uint16(b[6:]) == seq
}
