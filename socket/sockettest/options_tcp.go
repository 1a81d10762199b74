package sockettest

import (
	"syscall"

	"example.com/berth/socket"
)

var tcpOptionCases = append(optionCases("option-tcp", []optionRow{
	{name: "TCP_NODELAY", option: socket.TCP_NODELAY, on: streams, reads: switched},
	{name: "TCP_CORK", option: socket.TCP_CORK, on: streams, reads: switched},
	{name: "TCP_MAXSEG", option: socket.TCP_MAXSEG, on: streams, initial: 536, reads: map[int]int{88: 88, 1000: 1000, 32767: 32767, 0: 536}, refuses: einval(-1, 1, 87, 32768)},
	{name: "TCP_KEEPIDLE", option: socket.TCP_KEEPIDLE, on: streams, initial: fromSysctl, reads: map[int]int{1: 1, 77: 77, 32767: 32767}, refuses: einval(-1, 0, 32768)},
	{name: "TCP_KEEPINTVL", option: socket.TCP_KEEPINTVL, on: streams, initial: fromSysctl, reads: map[int]int{1: 1, 77: 77, 32767: 32767}, refuses: einval(-1, 0, 32768)},
	{name: "TCP_KEEPCNT", option: socket.TCP_KEEPCNT, on: streams, initial: fromSysctl, reads: map[int]int{1: 1, 127: 127}, refuses: einval(-1, 0, 128)},
	{name: "TCP_SYNCNT", option: socket.TCP_SYNCNT, on: streams, initial: fromSysctl, reads: map[int]int{1: 1, 127: 127}, refuses: einval(-1, 0, 128)},
	{name: "TCP_LINGER2", option: socket.TCP_LINGER2, on: streams, initial: fromSysctl, reads: map[int]int{5: 5, 120: 120, 1000: 120, -1: -1, -9: -1}},
	{name: "TCP_DEFER_ACCEPT", option: socket.TCP_DEFER_ACCEPT, on: streams, reads: map[int]int{0: 0, 1: 1, 3: 3, 2: 3, -1: 0}},
	{name: "TCP_WINDOW_CLAMP", option: socket.TCP_WINDOW_CLAMP, on: streams, initial: fromSysctl, reads: map[int]int{0: 0, 20000: 20000}},
	{name: "TCP_QUICKACK", option: socket.TCP_QUICKACK, on: streams, initial: 1, reads: map[int]int{0: 0, 1: 1}},
	{name: "TCP_USER_TIMEOUT", option: socket.TCP_USER_TIMEOUT, on: streams, reads: map[int]int{0: 0, 1: 1, 12345: 12345}, refuses: einval(-1)},
	{name: "TCP_NOTSENT_LOWAT", option: socket.TCP_NOTSENT_LOWAT, on: streams, reads: map[int]int{0: 0, 4096: 4096}},
	{name: "TCP_INQ", option: socket.TCP_INQ, on: streams, reads: map[int]int{0: 0, 1: 1}, refuses: einval(-1, 2)},
	{name: "TCP_FASTOPEN", option: socket.TCP_FASTOPEN, on: streams, reads: map[int]int{0: 0, 5: 5}, refuses: einval(-1)},
	{name: "TCP_FASTOPEN_CONNECT", option: socket.TCP_FASTOPEN_CONNECT, on: streams, reads: map[int]int{0: 0, 1: 1}, refuses: einval(-1, 2)},
	{name: "TCP_FASTOPEN_NO_COOKIE", option: socket.TCP_FASTOPEN_NO_COOKIE, on: streams, reads: map[int]int{0: 0, 1: 1}, refuses: einval(-1, 2)},
}),
	both("option-tcp/TCP_CONGESTION", "the congestion control has a name; an unknown one is ENOENT", optionCongestion),
	both("option-tcp/TCP_CONGESTION-listener", "a listener hands its congestion control on to its connections", optionCongestionListener),
	both("option-tcp/TCP_CONGESTION-connected", "a connection under way changes its congestion control", optionCongestionConnected),
	both("option-tcp/TCP_INFO-read-only", "TCP_INFO cannot be set", optionInfoReadOnly),
	both("option-tcp/TCP_MAXSEG-listener", "a listener's TCP_MAXSEG limits what the peer sends", optionMaxsegListener),
	both("option-tcp/TCP_MAXSEG-connected", "a connection tells its segment size, timestamps taken off", optionMaxsegConnected),
	both("option-tcp/TCP_USER_TIMEOUT-connected", "options are set on a connection too", optionOnConnection),
	// MUST-17.
	both("option-tcp/TCP_NODELAY-flushes", "TCP_NODELAY sends what Nagle's algorithm held back", optionNodelayFlushes),
)

// congestions are algorithms that a socket can choose. On Linux a user without
// privileges may only have those of net.ipv4.tcp_allowed_congestion_control, of
// which reno is always one.
func congestions(t *T, f family) []string {
	names := []string{"reno"}
	if err := socket.Set(t.tcp(t.A, f), socket.TCP_CONGESTION, "cubic"); err != syscall.EPERM {
		names = append(names, "cubic")
	}
	return names
}

func optionCongestion(t *T, f family) {
	s := t.tcp(t.A, f)
	if get(t, s, socket.TCP_CONGESTION) == "" {
		t.Error("no name")
	}
	for _, name := range congestions(t, f) {
		set(t, s, socket.TCP_CONGESTION, name)
		equal(t, "TCP_CONGESTION", get(t, s, socket.TCP_CONGESTION), name)
		t.fails("unknown", socket.Set(s, socket.TCP_CONGESTION, "nosuch"), syscall.ENOENT)
		equal(t, "TCP_CONGESTION", get(t, s, socket.TCP_CONGESTION), name)
	}
}

func optionCongestionListener(t *T, f family) {
	for _, name := range congestions(t, f) {
		l := t.tcp(t.B, f)
		set(t, l, socket.TCP_CONGESTION, name)
		t.bound(l, f.b)
		t.ok(l.Listen(1))
		a := t.tcp(t.A, f)
		t.connect(a, l.LocalAddr())
		b := t.accept(l)
		equal(t, "TCP_CONGESTION", get(t, b, socket.TCP_CONGESTION), name)
		t.fails("unknown, on a listener", socket.Set(l, socket.TCP_CONGESTION, "nosuch"), syscall.ENOENT)
	}
}

func optionCongestionConnected(t *T, f family) {
	a, b := t.pair(f)
	for _, name := range append(congestions(t, f), "reno") {
		set(t, a, socket.TCP_CONGESTION, name)
		equal(t, "TCP_CONGESTION", get(t, a, socket.TCP_CONGESTION), name)
		t.send(a, "under "+name)
		t.receives(b, "under "+name)
	}
	t.fails("unknown", socket.Set(a, socket.TCP_CONGESTION, "nosuch"), syscall.ENOENT)
	t.ok(a.Close())
	t.fails("closed", socket.Set(a, socket.TCP_CONGESTION, "reno"), syscall.EBADF)
}

func optionInfoReadOnly(t *T, f family) {
	t.fails("TCP_INFO", socket.Set(t.tcp(t.A, f), socket.TCP_INFO, socket.TCPInfo{}), syscall.ENOPROTOOPT)
}

func optionMaxsegListener(t *T, f family) {
	l := t.tcp(t.B, f)
	set(t, l, socket.TCP_MAXSEG, 700)
	t.bound(l, f.b)
	t.ok(l.Listen(1))
	a := t.tcp(t.A, f)
	t.connect(a, l.LocalAddr())
	if mss := get(t, a, socket.TCP_INFO).SndMSS; mss > 700 || mss < 700-12 {
		t.Errorf("SndMSS %d", mss)
	}
}

func optionMaxsegConnected(t *T, f family) {
	a, _ := t.pair(f)
	info, mss := get(t, a, socket.TCP_INFO), get(t, a, socket.TCP_MAXSEG)
	equal(t, "TCP_MAXSEG", mss, int(info.SndMSS))
	want := t.MTU - f.overhead - 20
	if info.Timestamps {
		want -= 12
	}
	if !t.oneHost() {
		equal(t, "SndMSS", mss, want)
	}
}

func optionOnConnection(t *T, f family) {
	a, _ := t.pair(f)
	for _, o := range []socket.Option[int]{socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_NODELAY, socket.SO_KEEPALIVE} {
		set(t, a, o, 1)
		equal(t, o.ID.String(), get(t, a, o), 1)
	}
	set(t, a, f.ttl(), 9)
	equal(t, "TTL", get(t, a, f.ttl()), 9)
}

func optionNodelayFlushes(t *T, f family) {
	a, b := t.pair(f)
	set(t, a, socket.TCP_CORK, 1)
	t.send(a, "held back")
	set(t, a, socket.TCP_NODELAY, 1)
	set(t, a, socket.TCP_CORK, 0)
	t.receives(b, "held back")
}
