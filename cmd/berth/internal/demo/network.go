package demo

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"example.com/berth"
	"example.com/berth/internal/ladder"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
)

// Config says how bad the wire is.
type Config struct {
	// Loss is the probability that a packet is lost, from 0 to 1.
	Loss float64
	// Delay is how long a packet is on its way.
	Delay time.Duration
	// Seed chooses which packets are lost.
	Seed uint64
	// Keep makes the trace keep the packets' bytes, for a capture.
	Keep bool
}

// party is one of the two hosts.
type party struct {
	name   string
	side   ladder.Side
	v4, v6 netip.Addr
	host   *berth.Host
	line   *impair.Device // that it sends on
}

// network is the two hosts on their wire.
type network struct {
	trace      *ladder.Trace
	alice, bob *party
	delay      time.Duration
}

// newNetwork makes the hosts and joins them. The wire takes nothing from the
// hosts' hands, so that what passes it is packets of at most 1500 bytes.
func newNetwork(c *Config) (*network, error) {
	n := &network{
		trace: ladder.New(c.Keep),
		alice: &party{name: "alice", side: ladder.Left, v4: netip.MustParseAddr("10.0.0.1"), v6: netip.MustParseAddr("fd00::1")},
		bob:   &party{name: "bob", side: ladder.Right, v4: netip.MustParseAddr("10.0.0.2"), v6: netip.MustParseAddr("fd00::2")},
	}
	a, b := wire.Pair(wire.Names("alice", "bob"), wire.Offload(0))
	return n, errors.Join(n.join(n.alice, a, c), n.join(n.bob, b, c))
}

// join makes the host of a party, on its end of the wire.
func (n *network) join(p *party, end *wire.Device, c *Config) error {
	cfg := berth.Config{Name: p.name}
	binary.BigEndian.PutUint64(cfg.Seed[:], c.Seed)
	copy(cfg.Seed[8:], p.name)
	p.host = berth.NewHost(cfg)
	n.delay = c.Delay
	bad := impair.Config{Seed: c.Seed<<1 | uint64(p.side), Loss: c.Loss, Delay: c.Delay}
	n.trace.Watch(p.side, &bad)
	p.line = impair.New(end, bad)
	_, err := p.host.Attach(p.line, netip.PrefixFrom(p.v4, 24).String(), netip.PrefixFrom(p.v6, 64).String())
	return err
}

func (n *network) close() error {
	return errors.Join(n.alice.host.Close(), n.bob.host.Close())
}

// parties are both, in the order of the diagram.
func (n *network) parties() [2]*party { return [2]*party{n.alice, n.bob} }
