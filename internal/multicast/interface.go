package multicast

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"example.com/berth/internal/lean"
)

// Config says how an interface reports its groups. Zero fields take defaults.
type Config struct {
	// IPv6 makes it speak MLD rather than IGMP.
	IPv6 bool
	// MTU bounds the length of reports, with the IP header: 1280 for IPv6, 576
	// for IPv4.
	MTU int
	// Robustness is how often a change is reported: 2, until a querier says
	// otherwise (RFC 3810 section 9.1).
	Robustness int
	// Rand gives random bits; without it every delay is the longest.
	Rand func() uint64
}

// Timers of RFC 3376 section 8 and RFC 3810 section 9.
const (
	defaultQueryInterval = 125 * time.Second
	unsolicitedInterval  = time.Second
	olderUnsolicited     = 10 * time.Second // RFC 2236 section 8.10, RFC 2710 section 7.10
)

// maxInterval bounds the query interval that a querier may claim, and with it how
// long a single forged query can keep an older version in use.
const maxInterval = time.Hour

// maxQueried is how many sources of a query are remembered for a group.
const maxQueried = 64

// Interface is the memberships of one interface for one IP version. It has no
// lock: the host's guards it.
type Interface struct {
	cfg        Config
	groups     []*group // sorted by address
	robustness int
	interval   time.Duration // the querier's query interval

	// linkLocal is the source of MLD messages; :: until there is one.
	linkLocal netip.Addr

	generalAt   time.Duration // when to answer a general query; 0 for no need
	olderUntil  time.Duration // a querier of IGMPv2 or MLDv1 is there
	oldestUntil time.Duration // a querier of IGMPv1 is there
	speaks      version       // settle decides

	messages []Message
	stats    Stats
}

// Stats counts messages.
type Stats struct {
	Queries    uint64 // taken
	Reports    uint64 // asked for, in any version
	Suppressed uint64 // reports left out since another host sent one
	Ignored    uint64 // queries and reports that are not valid, or not for us
}

// group is the state of one group.
type group struct {
	addr     netip.Addr
	silent   bool     // it is never reported
	excludes int      // memberships with Exclude
	sources  []source // that memberships name, sorted
	state    Sources  // the merged state

	// The report of a change (RFC 3810 section 6.1).
	modeLeft    int      // reports with a filter mode record to send
	changed     []resend // sources to report
	resendAt    time.Duration
	answerAt    time.Duration // when to answer a specific query; 0 for no need
	queried     []netip.Addr  // it asks for these; none for all
	olderLeft   int           // older versions: reports of the join to send
	lastReports bool          // older versions: we were the last to report
}

// source counts the memberships that name a source.
type source struct {
	addr               netip.Addr
	includes, excludes int
}

// resend is a source that is to be in so many more reports.
type resend struct {
	addr netip.Addr
	left int
}

// New returns an interface that is in no group.
func New(cfg Config) *Interface {
	cfg.Robustness = cmp.Or(cfg.Robustness, 2)
	if cfg.IPv6 {
		cfg.MTU = max(cfg.MTU, 1280)
	} else {
		cfg.MTU = cmp.Or(cfg.MTU, 576)
	}
	return &Interface{cfg: cfg, robustness: cfg.Robustness, interval: defaultQueryInterval, linkLocal: netip.IPv6Unspecified()}
}

// Stats gives the counters.
func (i *Interface) Stats() Stats { return i.stats }

// Take appends the messages that wait to buf, in order, and forgets them.
func (i *Interface) Take(buf []Message) []Message {
	buf = append(buf, i.messages...)
	clear(i.messages)
	i.messages = i.messages[:0]
	return buf
}

// Accepts tells whether the interface takes packets to group from source. The
// group of all nodes is always joined. It allocates nothing.
func (i *Interface) Accepts(group, source netip.Addr) bool {
	group = group.WithZone("")
	if isAllNodes(group) {
		return true
	}
	g := i.find(group)
	return g != nil && g.state.Allows(source.WithZone(""))
}

// Member tells whether the interface takes packets to group from anybody.
func (i *Interface) Member(group netip.Addr) bool {
	group = group.WithZone("")
	g := i.find(group)
	return isAllNodes(group) || g != nil && !g.state.None()
}

// Groups appends the groups of the interface to buf, in the order of their
// addresses.
func (i *Interface) Groups(buf []Membership) []Membership {
	for _, g := range i.groups {
		if !g.state.None() {
			buf = append(buf, Membership{Group: g.addr, Sources: g.state})
		}
	}
	return buf
}

// Join makes the host itself a member, as of a solicited-node group, and Leave
// ends that. Joins are counted. The report of a new membership waits for delay
// (RFC 4862 section 5.4.2).
func (i *Interface) Join(now time.Duration, group netip.Addr, delay time.Duration) {
	i.apply(now, Change{Group: group, To: Sources{Exclude: true}}, delay)
}

// Leave ends what Join began.
func (i *Interface) Leave(now time.Duration, group netip.Addr) {
	i.apply(now, Change{Group: group, From: Sources{Exclude: true}}, 0)
}

// Apply makes a change of a socket's membership part of the interface's state.
func (i *Interface) Apply(now time.Duration, c Change) { i.apply(now, c, 0) }

func (i *Interface) apply(now time.Duration, c Change, delay time.Duration) {
	addr := c.Group.WithZone("")
	if addr.Is6() != i.cfg.IPv6 {
		return
	}
	i.settle(now)
	g := i.find(addr)
	if g == nil {
		g = &group{addr: addr, silent: isSilent(addr)}
		at, _ := i.search(addr)
		i.groups = lean.Insert(i.groups, at, g)
	}
	g.count(c.From, -1)
	g.count(c.To, +1)
	before := g.state
	g.state = g.merge()
	i.report(now, g, before, delay)
	i.forget(g)
}

// count adds n to the counts of a membership. They may be below 0 for a moment:
// changes of one socket that two goroutines apply may come in the wrong order,
// and only their sum matters.
func (g *group) count(s Sources, n int) {
	if s.Exclude {
		g.excludes += n
	}
	for _, a := range s.List {
		at, found := slices.BinarySearchFunc(g.sources, a, func(s source, a netip.Addr) int { return s.addr.Compare(a) })
		if !found {
			g.sources = lean.Insert(g.sources, at, source{addr: a})
		}
		src := &g.sources[at]
		if s.Exclude {
			src.excludes += n
		} else {
			src.includes += n
		}
		if src.includes == 0 && src.excludes == 0 {
			g.sources = lean.Remove(g.sources, at)
		}
	}
}

// merge gives what all memberships ask for together (RFC 3810 section 4.2): a
// source is left out if all of EXCLUDE mode leave it out, and none of INCLUDE
// mode has it.
func (g *group) merge() Sources {
	s := Sources{Exclude: g.excludes > 0}
	for _, src := range g.sources {
		if s.Exclude && src.excludes == g.excludes && src.includes == 0 || !s.Exclude && src.includes > 0 {
			s.List = append(s.List, src.addr)
		}
	}
	return s
}

// forget drops a group of which there is nothing more to tell.
func (i *Interface) forget(g *group) {
	if g.excludes == 0 && len(g.sources) == 0 && g.resendAt == 0 {
		if at, found := i.search(g.addr); found {
			i.groups = lean.Remove(i.groups, at)
		}
	}
}

func (i *Interface) search(addr netip.Addr) (int, bool) {
	return slices.BinarySearchFunc(i.groups, addr, func(g *group, a netip.Addr) int { return g.addr.Compare(a) })
}

func (i *Interface) find(addr netip.Addr) *group {
	if at, found := i.search(addr); found {
		return i.groups[at]
	}
	return nil
}

// SetLinkLocal gives the link-local address that MLD messages are sent from, or
// :: when it is gone. With a new one all groups are reported again, as routers
// ignored what came from :: (RFC 3590 section 4).
func (i *Interface) SetLinkLocal(now time.Duration, addr netip.Addr) {
	addr = addr.WithZone("")
	if !i.cfg.IPv6 || addr == i.linkLocal {
		return
	}
	i.linkLocal = addr
	if addr.IsUnspecified() {
		return
	}
	i.settle(now)
	for _, g := range i.groups {
		if !g.state.None() {
			i.reportAnew(now, g)
		}
	}
	i.Timer(now)
}

// random gives a delay up to limit; not 0 unless limit is.
func (i *Interface) random(limit time.Duration) time.Duration {
	if i.cfg.Rand == nil || limit <= 0 {
		return max(limit, 0)
	}
	return time.Duration(i.cfg.Rand()%uint64(limit)) + 1
}

var (
	allNodes4    = netip.MustParseAddr("224.0.0.1")
	allNodes6    = netip.MustParseAddr("ff02::1")
	allNodesHere = netip.MustParseAddr("ff01::1") // of this interface only
)

func isAllNodes(a netip.Addr) bool { return a == allNodes4 || a == allNodes6 || a == allNodesHere }

// isSilent tells whether a group is never reported: that of all nodes, and those
// that do not leave the node (RFC 3376 section 6, RFC 3810 section 6).
func isSilent(a netip.Addr) bool {
	return isAllNodes(a) || a.Is6() && a.As16()[1]&0xf <= 1
}
