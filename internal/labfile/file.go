package labfile

import (
	"net/netip"
	"time"

	"example.com/berth/internal/mistake"
	"example.com/berth/link/impair"
)

// A File is a network and what is to be done with it.
type File struct {
	// Name is what the file calls itself; it may be empty.
	Name string
	// Path is where the file was read from, for messages.
	Path string
	// Seed is the seed of all random values; 1 where the file says nothing.
	Seed uint64
	// Fake tells whether time is virtual.
	Fake bool
	// For bounds the run; 0 is no bound.
	For time.Duration

	Hosts    []Host
	Links    []Link
	Events   []Event // in order of At
	Commands []Command

	text []byte
}

// Mistake makes the error about something that is found wrong with the file after
// it was read.
func (f *File) Mistake(at Pos, hint, format string, args ...any) error {
	g := mistake.In(f.Path, f.text)
	g.Add(at, 1, hint, format, args...)
	return g.Err()
}

// A Host is a node of the network: a host, router, switch or NAT.
type Host struct {
	Pos
	Name string
	Kind Kind
	// Behavior is that of a NAT.
	Behavior string
	// Forwards are the ports that a NAT has open.
	Forwards []Forward
}

// Kind is the kind of a node.
type Kind string

// The kinds of nodes.
const (
	KindHost   Kind = "host"
	KindRouter Kind = "router"
	KindSwitch Kind = "switch"
	KindNAT    Kind = "nat"
)

// A Forward is a port of a NAT that leads to a host behind it.
type Forward struct {
	Pos
	Network string // tcp or udp
	Port    uint16
	To      Target
}

// A Link joins two nodes.
type Link struct {
	Pos
	// Name is what events may call it; empty if it has none.
	Name string
	A, B string
	// MTU is 0 for the usual one.
	MTU int
	// Up changes the direction from A to B, Down that from B to A.
	Up, Down Conditions
	// AddrsA and AddrsB are the addresses of the two ends; nil for those that
	// the lab chooses.
	AddrsA, AddrsB []netip.Prefix
}

// Conditions are changes to what a direction of a link does to packets.
type Conditions []func(*impair.Config)

// Apply makes the changes.
func (c Conditions) Apply(cfg *impair.Config) {
	for _, change := range c {
		change(cfg)
	}
}

// An Event is something that is done to the network while it runs.
type Event struct {
	Pos
	At time.Duration
	Do Action
	// Link is an index of File.Links, for Cut, Down, Heal and Set; -1 for Heal
	// stands for all links.
	Link int
	// Hosts are those of Partition, and the one of Crash, Shutdown and Restart.
	Hosts []string
	// Undo is how long after At it is undone; 0 for not at all.
	Undo time.Duration
	// MTU, Up and Down are those of Set.
	MTU      int
	Up, Down Conditions
}

// An Action is what an event does.
type Action string

// The actions: of links, of sets of hosts, of hosts.
const (
	Cut       Action = "cut"
	Down      Action = "down"
	Heal      Action = "heal"
	Set       Action = "set"
	Partition Action = "partition"
	Crash     Action = "crash"
	Shutdown  Action = "shutdown"
	Restart   Action = "restart"
)

// A Target is a host by name, and a port, which is 0 where nothing is said.
type Target struct {
	Host string
	Port uint16
}

// A Command is something that is run on a host.
type Command struct {
	Pos
	// Kind is the name of what Spec is: echo, connect, ping, perf or http.
	Kind string
	// Name tells it from others.
	Name string
	// On is the host that it runs on.
	On string
	// Start is when it begins.
	Start time.Duration
	// Expect is what is to come of it.
	Expect []Expectation
	// Spec is an *Echo, *Connect, *Ping, *Perf or *HTTP.
	Spec any
}

// Echo sends back what comes, until the run ends.
type Echo struct {
	Port     uint16
	TCP, UDP bool
	// Punch is sent a datagram every second, so that a NAT between lets its
	// datagrams in.
	Punch Target
}

// Connect sends messages, and waits for each to come back.
type Connect struct {
	To       Target
	UDP      bool
	Local    uint16 // 0 for any port
	Text     string // the message, if Size is 0
	Size     int64
	Count    int
	Interval time.Duration
	Timeout  time.Duration // for the connection, and for each answer
	Retry    int           // more attempts after one that failed
	Pause    time.Duration // before each of them
}

// Ping asks a host for echoes.
type Ping struct {
	To       Target // without a port
	IPv6     bool
	Count    int
	Interval time.Duration
	Wait     time.Duration // for the last answer
	Size     int
	TTL      int // 0 for the usual one
}

// Perf measures how much gets through.
type Perf struct {
	To         Target
	Server     Target // what takes the data: To, unless that forwards to it
	UDP        bool
	Time       time.Duration // 0: until Bytes, or the end of the run
	Bytes      int64         // 0: until Time, or the end of the run
	Streams    int
	Rate       int64 // of UDP
	Size       int   // of UDP's payloads
	Reverse    bool
	Interval   time.Duration // between lines of report
	Congestion string
}

// HTTP asks a server for a body several times.
type HTTP struct {
	To        Target
	Server    Target // what serves: To, unless that forwards to it
	Count     int
	Size      int64
	Parallel  int
	Interval  time.Duration
	Timeout   time.Duration
	KeepAlive bool
}
