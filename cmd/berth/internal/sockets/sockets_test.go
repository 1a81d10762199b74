package sockets

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/socket"
)

func TestTableOfAHost(t *testing.T) {
	h := berth.NewHost(berth.Config{})
	defer h.Close()
	open := func(d socket.Domain, typ socket.Type, p socket.Protocol, bind string) socket.Socket {
		s, err := h.Socket(d, typ, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Bind(netip.MustParseAddrPort(bind)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := open(socket.INET, socket.STREAM, 0, "127.0.0.1:80").Listen(5); err != nil {
		t.Fatal(err)
	}
	open(socket.INET6, socket.DGRAM, 0, "[::1]:53")
	open(socket.INET, socket.RAW, socket.IPPROTO_ICMP, "127.0.0.1:0")
	c := open(socket.INET, socket.STREAM, 0, "127.0.0.1:1234")
	if err := c.Connect(t.Context(), netip.MustParseAddrPort("127.0.0.1:80")); err != nil {
		t.Fatal(err)
	}
	rows, hidden := (&Filter{All: true}).Choose(OfHost(h.Sockets()))
	var b strings.Builder
	if err := (&Table{}).Print(&b, rows); err != nil {
		t.Fatal(err)
	}
	const want = `Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port
raw   UNCONN 0      0          127.0.0.1:icmp      0.0.0.0:*
udp   UNCONN 0      0              [::1]:53           [::]:*
tcp   LISTEN 1      5          127.0.0.1:80        0.0.0.0:*
tcp   ESTAB  0      0          127.0.0.1:80      127.0.0.1:1234
tcp   ESTAB  0      0          127.0.0.1:1234    127.0.0.1:80
`
	if b.String() != want || hidden != 0 {
		t.Errorf("table is\n%s\nwant\n%s", b.String(), want)
	}
}

func TestFilter(t *testing.T) {
	rows := []Row{
		{Netid: "tcp", Family: 4, State: "ESTAB"},
		{Netid: "tcp", Family: 6, State: "LISTEN"},
		{Netid: "tcp", Family: 4, State: "TIME-WAIT"},
		{Netid: "udp", Family: 4, State: "UNCONN"},
		{Netid: "udp", Family: 6, State: "ESTAB"},
		{Netid: "raw", Family: 4, State: "UNCONN"},
		{Netid: "icmp6", Family: 6, State: "UNCONN"},
	}
	for _, tt := range []struct {
		name   string
		f      Filter
		want   string
		hidden int
	}{
		{"none", Filter{}, "udp6 ESTAB, tcp4 ESTAB", 5},
		{"all", Filter{All: true}, "icmp66 UNCONN, raw4 UNCONN, udp4 UNCONN, udp6 ESTAB, tcp6 LISTEN, tcp4 ESTAB, tcp4 TIME-WAIT", 0},
		{"listening", Filter{Listening: true}, "icmp66 UNCONN, raw4 UNCONN, udp4 UNCONN, tcp6 LISTEN", 3},
		{"TCP", Filter{TCP: true, All: true}, "tcp6 LISTEN, tcp4 ESTAB, tcp4 TIME-WAIT", 0},
		{"UDP and raw", Filter{UDP: true, Raw: true, Listening: true}, "icmp66 UNCONN, raw4 UNCONN, udp4 UNCONN", 1},
		{"IPv6", Filter{IPv6: true, All: true}, "icmp66 UNCONN, udp6 ESTAB, tcp6 LISTEN", 0},
		{"both families", Filter{IPv4: true, IPv6: true}, "udp6 ESTAB, tcp4 ESTAB", 5},
	} {
		chosen, hidden := tt.f.Choose(rows)
		var got []string
		for _, r := range chosen {
			got = append(got, r.Netid+string(rune('0'+r.Family))+" "+r.State)
		}
		if s := strings.Join(got, ", "); s != tt.want || hidden != tt.hidden {
			t.Errorf("%s: %s and %d hidden, want %s and %d", tt.name, s, hidden, tt.want, tt.hidden)
		}
	}
}

func TestWhatStandsBehindTheColumns(t *testing.T) {
	fd := 3
	r := Row{
		Netid: "tcp", Family: 6, State: "FIN-WAIT-2", Interface: "eth0", UID: 1000, Inode: 77, Memory: 10, Orphan: true,
		Local: netip.MustParseAddrPort("[fe80::1%eth0]:80"),
		Peer:  netip.MustParseAddrPort("[fe80::2]:81"),
		Timer: &Timer{Kind: "timewait", Milliseconds: 59_900},
		Users: []User{{Name: "nc", PID: 5, FD: &fd}, {Name: "berth", PID: 6}},
		TCP: fromInfo(&socket.TCPInfo{
			State: socket.TCP_FIN_WAIT2, Timestamps: true, WindowScale: true, SndWScale: 7, RcvWScale: 8,
			RTO: 200 * time.Millisecond, RTT: 1234 * time.Microsecond, Backoff: 2, SndMSS: 1448, SndCwnd: 10,
			SndSSThresh: 0x7fffffff, TotalRetrans: 3, DeliveryRate: 1 << 20, MinRTT: time.Millisecond,
		}),
	}
	var b strings.Builder
	table := Table{NoHeader: true, Info: true, Extended: true, Timers: true, Process: true}
	if err := table.Print(&b, []Row{r}); err != nil {
		t.Fatal(err)
	}
	const want = `tcp FIN-WAIT-2 0 0 [fe80::1]%eth0:80 [fe80::2]:81 users:(("nc",pid=5,fd=3),("berth",pid=6)) timer:(timewait,59.900sec,0) uid:1000 ino:77 mem:10 orphan
	 ts wscale:7,8 rto:200 backoff:2 rtt:1.234/0 mss:1448 cwnd:10 retrans:0/3 send 93.9Mbps delivery_rate 8.39Mbps minrtt:1
`
	if b.String() != want {
		t.Errorf("row is\n%s\nwant\n%s", b.String(), want)
	}
}

func TestDurations(t *testing.T) {
	for ms, want := range map[int64]string{0: "0ms", 999: "999ms", 1000: "1.000sec", 59_999: "59.999sec", 60_000: "1min0sec", 7_265_000: "121min5sec"} {
		if got := duration(ms); got != want {
			t.Errorf("%d ms is %s, want %s", ms, got, want)
		}
	}
}

func TestRates(t *testing.T) {
	for rate, want := range map[float64]string{0: "0bps", 999: "999bps", 1500: "1.5Kbps", 2e6: "2Mbps", 12.3e9: "12.3Gbps"} {
		if got := bps(rate); got != want {
			t.Errorf("%v is %s, want %s", rate, got, want)
		}
	}
}
