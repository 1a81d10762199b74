package demo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"example.com/berth/cmd/berth/internal/sockets"
	"example.com/berth/internal/header"
	"example.com/berth/internal/ladder"
)

// Limit is how long all scenes together may take: on a wire that loses
// everything they would never end.
const Limit = 60 * time.Second

// Scene is one of the four, when it has been played.
type Scene struct {
	Name  string
	Title string
	// Note says what came of it.
	Note string
	Err  error
	// Start is when it began.
	Start time.Duration
	// Events are what was called, and what passed the wire for it.
	Events []ladder.Event
	// Bulk says that there are too many packets to look at all.
	Bulk bool
}

// Host is a host's table of sockets.
type Host struct {
	Name    string        `json:"name"`
	Addrs   []netip.Addr  `json:"addrs"`
	Sockets []sockets.Row `json:"sockets"`
}

// Result is what came of all scenes.
type Result struct {
	Config  Config
	Scenes  []*Scene
	Hosts   [2]Host
	Wire    [2]Direction
	Elapsed time.Duration
	// Events are all that happened.
	Events []ladder.Event
}

// OK tells whether every byte came back in every scene.
func (r *Result) OK() bool {
	for _, s := range r.Scenes {
		if s.Err != nil {
			return false
		}
	}
	return true
}

// Play plays the scenes, and calls done after each. It goes on after one that
// failed; the error is that there is no network to play on, or that ctx has
// ended.
func Play(ctx context.Context, c Config, done func(*Scene)) (r *Result, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, Limit, fmt.Errorf("gave up after %v", Limit))
	defer cancel()
	n, err := newNetwork(&c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	r = &Result{Config: c}
	for _, s := range n.script(r) {
		scene := n.play(limited, s)
		r.Scenes = append(r.Scenes, scene)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		done(scene)
	}
	if r.Hosts[0].Name == "" { // the download did not come so far
		r.Hosts = n.tables()
	}
	r.Elapsed = n.trace.Now()
	r.Events = n.trace.Since(0)
	r.Wire = directions(r.Events)
	return r, nil
}

// script is a scene to be played.
type script struct {
	name, title string
	bulk        bool
	protocols   []uint8 // what passes the wire for it
	play        func(context.Context) (note string, err error)
}

func (n *network) script(r *Result) []script {
	return []script{
		{
			name: "stream", title: "Stream sockets: an echo over TCP",
			protocols: []uint8{header.ProtocolTCP}, play: n.stream,
		},
		{
			name: "datagram", title: "Datagram sockets: an echo over UDP, sent again by alice if it is lost",
			protocols: []uint8{header.ProtocolUDP}, play: n.datagrams,
		},
		{
			name: "ping", title: "Raw sockets: echo requests of ICMP and ICMPv6, built by hand",
			protocols: []uint8{header.ProtocolICMP, header.ProtocolICMPv6}, play: n.echoes,
		},
		{
			name: "download", title: "net/http over netconn: a file over IPv6", bulk: true,
			protocols: []uint8{header.ProtocolTCP},
			play: func(ctx context.Context) (string, error) {
				return n.download(ctx, r.Config.Seed, func() { r.Hosts = n.tables() })
			},
		},
	}
}

// play plays one scene.
func (n *network) play(ctx context.Context, s script) *Scene {
	scene := &Scene{Name: s.name, Title: s.title, Bulk: s.bulk, Start: n.trace.Now()}
	mark := n.trace.Mark()
	scene.Note, scene.Err = s.play(ctx)
	if scene.Err != nil && ctx.Err() != nil {
		scene.Err = context.Cause(ctx)
	}
	scene.Events = ladder.Only(n.trace.Since(mark), func(p *ladder.Packet) bool {
		for _, protocol := range s.protocols {
			if p.Protocol == protocol {
				return p.Protocol != header.ProtocolICMPv6 || p.EchoRequest() || p.EchoReply()
			}
		}
		return false
	})
	return scene
}

// tables reads the tables of sockets.
func (n *network) tables() (hosts [2]Host) {
	for i, p := range n.parties() {
		rows := sockets.OfHost(p.host.Sockets())
		all := sockets.Filter{All: true}
		rows, _ = all.Choose(rows)
		hosts[i] = Host{Name: p.name, Addrs: []netip.Addr{p.v4, p.v6}, Sockets: rows}
	}
	return hosts
}
