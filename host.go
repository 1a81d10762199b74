package berth

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/siphash"
	"example.com/berth/internal/tcp"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// Config is how a host is made. The zero value is a good one.
type Config struct {
	// Name is the host's name in errors and captures; it has no other meaning.
	Name string

	// Forwarding makes the host a router between its interfaces.
	Forwarding bool

	// Forwarder, if not nil, is asked about packets for addresses that the host
	// does not have; Forwarding has no meaning for them then.
	Forwarder Forwarder

	// Memory bounds what all queues of the host hold together, in bytes; 0
	// means 256 MiB. At the bound sockets stop growing their buffers and lose
	// datagrams, but every connection can still move a little.
	Memory int64

	// Sockets is how many sockets programs may have at once, connections that
	// were accepted included; one more gives ENFILE. 0 means 4,194,304.
	Sockets int

	// TCP are the settings of TCP; zero fields take Linux's values.
	TCP TCPConfig

	// Seed makes sequence numbers, ports and identifiers the same in every run
	// with the same calls, for tests. The zero Seed makes them unpredictable to
	// an outsider (RFC 6528, 6056, 7739).
	Seed [32]byte

	// Scheduler, if not nil, says when the host acts: it is one of a simulation
	// that is to be the same in every run.
	Scheduler Scheduler

	// Now, if not nil, is the host's clock in place of time.Now. It is for a
	// Scheduler with a time of its own: the timers that it makes go by the same
	// clock, and calls that wait wait for the Scheduler, so that only a time-out
	// given to Poll is left to the wall clock.
	Now func() time.Time

	// Probe, if not nil, is called whenever a TCP connection has taken in or sent
	// something. It is called with the connection's lock held, must not block, and
	// must not call the host. What it is given it must not keep.
	Probe func(*Probe)

	// ICMPErrors is the most ICMP errors that the host sends to one destination
	// a second; 0 means 1, as Linux, and a negative number that there is no
	// limit. A few are always sent at once.
	ICMPErrors int

	// EphemeralPorts is the range that ports are chosen from; zero means 32768
	// to 60999, as Linux.
	EphemeralPorts struct{ First, Last uint16 }

	// TTL is the time to live of IPv4 packets, and the hop limit of IPv6 packets
	// unless a router says another, where a socket does not set it; 0 means 64.
	TTL uint8

	// IgnoreRedirects leaves it to routers to forward what another next hop would
	// have been better for. A host that forwards ignores redirects anyway.
	IgnoreRedirects bool

	// AcceptSourceRoute takes packets with source routes, and answers by the same
	// way back (Linux: accept_source_route). With Forwarding it sends them on, too.
	// Without it they are dropped, because they are a way around filters, and
	// because whoever names the way back gets what is meant for another. A host
	// with a Forwarder drops them anyway.
	AcceptSourceRoute bool

	// SecureRedirects believes only redirects to gateways that a route names, or of
	// IPv6 to the destination itself.
	SecureRedirects bool

	// SendNoRedirects keeps a router from telling its neighbors of better first hops
	// when it sends their packets on to where they came from.
	SendNoRedirects bool

	// IPv6 says how interfaces configure themselves.
	IPv6 IPv6Config

	// Loopback, if not nil, makes the device of lo out of the host's own, so
	// that a program's traffic with itself can be lost, delayed or captured:
	//
	//	Loopback: func(lo link.Device) link.Device { return impair.New(lo, bad) }
	//
	// The device must be of medium IP. NewHost attaches it and panics with the
	// error if that fails.
	Loopback func(lo link.Device) link.Device

	// DetectConflicts checks each IPv4 address on an Ethernet before it is used,
	// which takes about six seconds, announces it then, and defends it against
	// others who claim it (RFC 5227).
	DetectConflicts bool
}

// TCPConfig are a host's settings of TCP. Sizes are bytes; zero fields take
// Linux's defaults, but for SYNRetries.
type TCPConfig struct {
	// ReceiveBuffer and SendBuffer bound the buffers of a connection. They
	// begin at Default and grow with the path up to Max, unless SO_RCVBUF or
	// SO_SNDBUF fixes them.
	ReceiveBuffer, SendBuffer BufferSize
	// TimeWait is how long a connection stays in TIME-WAIT; 0 means 60 s.
	TimeWait time.Duration
	// KeepConnecting has a connect go on when ICMP says that the peer cannot be
	// reached for now, as RFC 9293 section 3.9.2.2 demands: it ends when SYNRetries
	// are used up, with the error that ICMP told. Without it such a message ends it
	// at once, as on Linux and most others (RFC 5461 section 4), so that a program
	// can try another address; so it does on a socket with IP_RECVERR.
	KeepConnecting bool
	// SYNRetries is how often a SYN is sent again; 0 means 7, so that a connect is
	// given up after 247 s. Linux's 6, and 127 s, are less than the three minutes
	// of RFC 9293 section 3.8.3.
	SYNRetries int
	// Congestion is the congestion control of connections that do not choose one
	// by TCP_CONGESTION: one of [Algorithms] or of Algorithms below; empty means
	// cubic. A name that there is not panics in NewHost.
	Congestion string
	// Algorithms are further ones that TCP_CONGESTION can choose.
	Algorithms []*Algorithm
	// ECN says when explicit congestion notification is used.
	ECN ECN
	// ECNControl has connections with accurate ECN send not only new data so that
	// queues mark it instead of dropping it, but retransmissions, acknowledgments,
	// probes, FIN and RST, too, as Linux does; some boxes on the way may not expect it.
	// Marks of these packets are counted as all others, and answered if data is in
	// flight. A SYN and its answer never go out so (as in ECN++,
	// draft-ietf-tcpm-generalized-ecn, they may).
	ECNControl bool
	// AccECNOption says when accurate ECN sends its TCP option.
	AccECNOption AccECNOption
	// MTUProbing says how path MTUs are found without ICMP; the zero value does
	// so where large packets vanish.
	MTUProbing MTUProbing
	// SYNCookies says when a listener answers SYNs by cookies (RFC 4987).
	SYNCookies SYNCookies
	// SYNBacklog bounds the handshakes under way at a listener without cookies,
	// like its backlog; 0 means 4096 (Linux: tcp_max_syn_backlog).
	SYNBacklog int
	// MaxBacklog is the largest backlog; 0 means socket.SOMAXCONN.
	MaxBacklog int
	// AbortOnOverflow resets a connection whose handshake ends while the accept
	// queue is full. Without it the end of the handshake waits until there is
	// room (Linux: tcp_abort_on_overflow).
	AbortOnOverflow bool
	// Tuning are settings that tests and odd peers may need.
	Tuning TCPTuning
	// FastOpen says who may send data with a SYN (RFC 7413).
	FastOpen FastOpen
	// FastOpenKey is the key of a server's cookies, of 16 bytes, or of 32 two keys
	// of which the second one's cookies are good, too; nil means one that nobody
	// else has. Other lengths panic in NewHost.
	FastOpenKey []byte
	// FastOpenPause is for how long clients do without after three time-outs in a
	// row of a connection that data in the SYN may be to blame for, twice as long
	// each time; 0 means not at all (Linux: tcp_fastopen_blackhole_timeout_sec).
	FastOpenPause time.Duration
}

// SYNCookies says when a listener answers a SYN without keeping anything of it:
// what it has to know is in the numbers of its SYN,ACK. Of such a handshake it
// does not know if its SYN,ACK was lost, and of a peer without timestamps
// neither window scale nor SACK are used.
type SYNCookies uint8

// When cookies are sent.
const (
	SYNCookiesUnderPressure SYNCookies = iota // when the SYN queue is full
	SYNCookiesOff                             // never: SYNs beyond the queue are dropped
	SYNCookiesAlways                          // for tests
)

// BufferSize bounds a socket buffer, in bytes.
type BufferSize struct{ Min, Default, Max int }

// Host is a TCP/IP host: interfaces, routes, and sockets. It implements
// [socket.Provider]. Its methods may be called from several goroutines at once.
//
// Of its locks, mu guards the configuration: interfaces, addresses and routes.
// Packets read that from an immutable value, net, without a lock.
type Host struct {
	name   string
	clock  func() time.Time
	epoch  time.Time
	random randomness
	count  Counters
	budget *buffer.Budget
	tcp    *tcp.Params
	timers timers
	turns  Scheduler // nil: at once
	lo     *Interface
	loop   *loopback
	gen    atomic.Uint64 // of net, and of the path MTUs
	net    atomic.Pointer[network]
	config Config
	open   atomic.Int64 // sockets that programs have

	streams   streamTable
	requests  requestTable
	fastPeers fastOpenCache
	fastKeys  tcp.FastOpenKeys
	jar       tcp.CookieJar
	datagrams datagramTables
	raws      rawTable
	ports     ports
	frags     fragments
	limiter   icmpLimiter
	mtus      mtuCache
	gateways  gateways
	redirects redirects

	redirecting redirecting
	flows       flows

	sockets socketList

	mu     sync.Mutex // guards what follows, and the making of a new net
	closed bool
}

var _ socket.Provider = (*Host)(nil)

// defaultMemory is the budget of a host that names none.
const defaultMemory = 256 << 20

// NewHost makes a host with one interface, lo, that has 127.0.0.1/8 and ::1.
func NewHost(cfg Config) *Host {
	h := &Host{
		name: cfg.Name, config: cfg, clock: cfg.Now, turns: cfg.Scheduler,
	}
	if h.clock == nil {
		h.clock = time.Now
	}
	h.epoch = h.clock()
	h.random.seed(cfg.Seed)
	if cfg.Memory <= 0 {
		cfg.Memory = defaultMemory
	}
	h.budget = buffer.NewBudget(cfg.Memory)
	h.tcp = cfg.TCP.params(h)
	h.fastKeys = h.fastOpenKeys(cfg.TCP.FastOpenKey)
	h.jar = tcp.CookieJar{Params: h.tcp, Key: h.random.derive("SYN cookies")}
	h.timers.host = h
	h.streams.init(h)
	h.ports.init(h, cfg)
	h.frags.init(h)
	h.limiter.init(h)
	h.mtus.init(h)
	h.gateways.init(h)
	h.redirects.host = h
	h.flows.init(h)
	h.net.Store(&network{forwarding: cfg.Forwarding})
	h.addLoopback(cfg.Loopback)
	for _, p := range []string{"127.0.0.1/8", "::1/128"} {
		if err := h.lo.AddAddr(netip.MustParsePrefix(p)); err != nil {
			panic("berth: " + err.Error()) // two constants
		}
	}
	return h
}

// now is the time since the host was made, in nanoseconds and never 0.
func (h *Host) now() time.Duration {
	if h.config.Now == nil {
		return time.Since(h.epoch) + 1 // half of what time.Now takes
	}
	return h.clock().Sub(h.epoch) + 1
}

// timeOf is the time at which now gives t.
func (h *Host) timeOf(t time.Duration) time.Time { return h.epoch.Add(t - 1) }

// Socket makes a socket; see [socket.Provider].
func (h *Host) Socket(domain socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	if domain != socket.INET && domain != socket.INET6 {
		return nil, syscall.EAFNOSUPPORT
	}
	if protocol < 0 || protocol >= endOfProtocols {
		return nil, syscall.EINVAL
	}
	var s endpoint
	switch typ {
	case socket.STREAM:
		if protocol != 0 && protocol != socket.IPPROTO_TCP {
			return nil, syscall.EPROTONOSUPPORT
		}
		s = newStream(h, domain)
	case socket.DGRAM:
		ping := socket.IPPROTO_ICMP
		if domain == socket.INET6 {
			ping = socket.IPPROTO_ICMPV6
		}
		switch protocol {
		case 0, socket.IPPROTO_UDP:
			s = newDatagram(h, domain, socket.IPPROTO_UDP)
		case ping:
			s = newDatagram(h, domain, ping)
		default:
			return nil, syscall.EPROTONOSUPPORT
		}
	case socket.RAW:
		if protocol == 0 || protocol > 255 {
			return nil, syscall.EPROTONOSUPPORT
		}
		s = newRaw(h, domain, protocol)
	default:
		if typ < 0 || typ >= endOfTypes {
			return nil, syscall.EINVAL
		}
		return nil, syscall.ESOCKTNOSUPPORT
	}
	return s, h.remember(s)
}

// Linux's SOCK_MAX and IPPROTO_MAX: numbers from there on are EINVAL.
const (
	endOfTypes     socket.Type     = 11
	endOfProtocols socket.Protocol = 263
)

// defaultSockets is how many sockets a host has that names no number.
const defaultSockets = 4 << 20

// admit counts a socket that a program is about to get, until forget.
func (h *Host) admit(s *sock) error {
	if n := h.open.Add(1); n > int64(cmp.Or(h.config.Sockets, defaultSockets)) {
		h.open.Add(-1)
		return syscall.ENFILE
	}
	s.counted = true
	return nil
}

// remember is admit for a socket that no table has as yet.
func (h *Host) remember(s endpoint) error {
	if err := h.admit(s.base()); err != nil {
		return err
	}
	if err := h.sockets.insert(s, uint8(h.open.Load())); err != nil {
		h.forget(s.base())
		return err
	}
	return nil
}

// forget is told of each socket that is closed.
func (h *Host) forget(s *sock) {
	if s.counted {
		s.counted = false
		h.open.Add(-1)
	}
	h.sockets.remove(s)
}

// Close ends the host: its sockets fail with EBADF, its connections are reset,
// those included that were closed and had still something to send, and its
// devices are closed. (A program that ends with its host closes a connection
// with SO_LINGER first, to wait until the peer has everything.) Calls on a closed
// host give ENETDOWN.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	h.sockets.close()
	var err error
	h.inTurn(Order{Host: h.name}, func() { err = h.shut() })
	return err
}

func (h *Host) shut() error {
	h.flows.close()
	for _, s := range h.endpoints() {
		s.abort(syscall.EBADF)
	}
	h.streams.endRemnants()
	h.timers.close()
	var errs []error
	for _, ifc := range h.net.Load().interfaces {
		errs = append(errs, ifc.dev.Close())
	}
	h.frags.close()
	return errors.Join(errs...)
}

// Counters returns the host's counters, which are live.
func (h *Host) Counters() *Counters { return &h.count }

// randomness is the host's source of what outsiders must not guess. Its lock
// guards the generator of a seeded host.
type randomness struct {
	mu     sync.Mutex
	seeded *rand.ChaCha8 // nil: the runtime's generator

	isn, ports, timestamps, labels siphash.Key
}

func (r *randomness) seed(seed [32]byte) {
	if seed != ([32]byte{}) {
		r.seeded = rand.NewChaCha8(seed)
	}
	for _, k := range []*siphash.Key{&r.isn, &r.ports, &r.timestamps, &r.labels} {
		k.K0, k.K1 = r.Uint64(), r.Uint64()
	}
}

// derive returns a key for a use of its own, which is the same in every run of a
// seeded host.
func (r *randomness) derive(use string) siphash.Key {
	return siphash.Key{
		K0: siphash.Sum64(r.isn, []byte(use+" 0")),
		K1: siphash.Sum64(r.isn, []byte(use+" 1")),
	}
}

// Uint64 returns 64 random bits; it makes randomness a rand.Source.
func (r *randomness) Uint64() uint64 {
	if r.seeded == nil {
		return rand.Uint64()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seeded.Uint64()
}
