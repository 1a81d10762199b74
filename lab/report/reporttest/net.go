package reporttest

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/lab/report"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
)

// Net is a network that is recorded. It is made in a bubble.
type Net struct {
	t     *testing.T
	start time.Time
	hosts []*berth.Host

	mu      sync.Mutex // guards all below
	rec     report.Recording
	pending map[way][]int // packets that have not arrived
	last    map[way]int   // the packet that was sent last
}

// way is a direction of a link.
type way struct {
	link  int
	fromA bool
}

func newNet(t *testing.T) *Net {
	n := &Net{t: t, start: time.Now(), pending: make(map[way][]int), last: make(map[way]int)}
	n.rec.Title, n.rec.Seed, n.rec.Start = t.Name(), 1, n.start
	return n
}

// node adds a host, or a router.
func (n *Net) node(name, kind string) int {
	i := len(n.hosts)
	n.rec.Nodes = append(n.rec.Nodes, report.Node{Name: name, Kind: kind})
	n.hosts = append(n.hosts, berth.NewHost(berth.Config{
		Name: name, Seed: [32]byte{1, byte(i)}, Forwarding: kind == report.Router,
		IPv6:  berth.IPv6Config{},
		Probe: func(p *berth.Probe) { n.sample(i, p) },
	}))
	return i
}

// join links two nodes. The prefixes are theirs on the link.
func (n *Net) join(a, b int, prefixA, prefixB string, bad impair.Config, says string, opts ...wire.Option) {
	n.t.Helper()
	l := len(n.rec.Links)
	ends := [2]*wire.Device{}
	ends[0], ends[1] = wire.Pair(append([]wire.Option{wire.Offload(0)}, opts...)...)
	n.rec.Links = append(n.rec.Links, report.Link{
		Name: n.rec.Nodes[a].Name + "-" + n.rec.Nodes[b].Name, A: a, B: b, AtoB: says, BtoA: says, Medium: ends[0].Info().Medium,
	})
	for side, node := range []int{a, b} {
		out := way{l, side == 0}
		c := bad
		c.Seed += uint64(2*l + side)
		c.Rule = func(_ time.Duration, f *link.Frame) impair.Verdict { n.sent(out, f); return impair.Verdict{} }
		c.Observe = func(e impair.Event) { n.observed(out, &e) }
		prefix := []string{prefixA, prefixB}[side]
		if _, err := n.hosts[node].Attach(impair.New(&tap{ends[side], n, way{l, side == 1}}, c), prefix); err != nil {
			n.t.Fatal(err)
		}
		n.rec.Nodes[node].Addrs = append(n.rec.Nodes[node].Addrs, prefix)
	}
}

// route adds a route to a node.
func (n *Net) route(node int, dst, via string) {
	n.t.Helper()
	r := berth.Route{Dst: netip.MustParsePrefix(dst), Via: netip.MustParseAddr(via)}
	if err := n.hosts[node].AddRoute(r); err != nil {
		n.t.Fatal(err)
	}
}

func (n *Net) now() time.Duration { return time.Since(n.start) }

// note remembers a remark.
func (n *Net) note(node int, kind, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rec.Notes = append(n.rec.Notes, report.Note{At: n.now(), Node: node, Kind: kind, Text: text})
}

func (n *Net) sample(node int, p *berth.Probe) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rec.Samples = append(n.rec.Samples, report.Sample{
		At: n.now(), Node: node, Local: p.Local, Remote: p.Remote, State: p.State.String(), Cwnd: p.Cwnd, SSThresh: p.SSThresh, Flight: p.Flight,
		SndWnd: p.SndWnd, RcvWnd: p.RcvWnd, SRTT: p.SRTT, RTO: p.RTO, Una: p.Una, Nxt: p.Nxt,
	})
}

// end closes the hosts and returns what was recorded.
func (n *Net) end() *report.Recording {
	for i, h := range n.hosts {
		text := "State        Local                  Remote\n"
		for _, s := range h.Sockets() {
			text += s.State.String() + "  " + s.Local.String() + "  " + s.Remote.String() + "\n"
		}
		n.rec.Tables = append(n.rec.Tables, report.Table{Node: i, Text: text})
	}
	for _, h := range n.hosts {
		if err := h.Close(); err != nil {
			n.t.Error(err)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rec.Length = n.now()
	rec := n.rec
	return &rec
}
