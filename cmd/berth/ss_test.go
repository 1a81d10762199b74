package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"example.com/berth/cmd/berth/internal/control"
	"example.com/berth/cmd/berth/internal/sockets"
)

// serve pretends that a berth with a host of its own is running, in a directory
// of its own.
func serve(t *testing.T, pid int, name string, rows ...sockets.Row) {
	t.Helper()
	s, err := control.Serve(control.Info{PID: pid, Name: name, Addrs: []string{"10.77.0.2/24"}, Command: []string{"berth"}},
		func() []sockets.Row { return rows })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
}

var (
	listening = sockets.Row{
		Netid: "tcp", Family: 4, State: "LISTEN", SendQ: 4096, Protocol: 6,
		Local: netip.MustParseAddrPort("10.77.0.2:80"),
	}
	established = sockets.Row{
		Netid: "tcp", Family: 4, State: "ESTAB", RecvQ: 12, Protocol: 6, Memory: 2048,
		Local: netip.MustParseAddrPort("10.77.0.2:80"), Peer: netip.MustParseAddrPort("10.77.0.1:43210"),
		Timer: &sockets.Timer{Kind: "on", Milliseconds: 204, Retries: 1},
		TCP:   &sockets.TCPInfo{SACK: true, RTO: 204_000, RTT: 1250, RTTVar: 500, MSS: 1448, Cwnd: 10, BytesSent: 42},
	}
)

func TestSSShowsRunningBerths(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	serve(t, 4711, "bt0", listening, established)
	serve(t, 4712, "bt1")
	for _, tt := range []struct{ name, args, want string }{
		{"connected", "ss", `# bt0  10.77.0.2/24  pid 4711
Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port
tcp   ESTAB 12     0          10.77.0.2:80      10.77.0.1:43210
# bt1  10.77.0.2/24  pid 4712
Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port
`},
		{"all of one, by name", "ss -a --berth bt0", `# bt0  10.77.0.2/24  pid 4711
Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port
tcp   LISTEN 0      4096       10.77.0.2:80        0.0.0.0:*
tcp   ESTAB  12     0          10.77.0.2:80      10.77.0.1:43210
`},
		{"with everything, by number, without heads", "ss -H -i -o -e -p --berth 4711", `tcp ESTAB 12 0 10.77.0.2:80 10.77.0.1:43210 users:(("berth",pid=4711)) timer:(on,204ms,1) mem:2048
	 sack rto:204 rtt:1.25/0.5 mss:1448 cwnd:10 ssthresh:0 bytes_sent:42 send 92.7Mbps
`},
		{"what listens", "ss -l -t -n -H --berth bt0", "tcp LISTEN 0 4096 10.77.0.2:80 0.0.0.0:*\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", strings.Fields(tt.args)...)
			wantStatus(t, r.status, exitSuccess)
			want(t, "standard output", r.stdout, strings.ReplaceAll(tt.want, " ssthresh:0", ""))
			want(t, "standard error", r.stderr, "")
		})
	}
}

func TestSSSaysWhatItDoesNotShow(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	serve(t, 4711, "bt0", listening)
	want(t, "standard error", run(t, "", "ss").stderr, "berth ss: no connected sockets; -a shows others, of which there are 1\n")
}

func TestSSAsJSON(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	serve(t, 4711, "bt0", listening, established)
	r := run(t, "", "ss", "--json", "-a")
	wantStatus(t, r.status, exitSuccess)
	var hosts []host
	if err := json.Unmarshal([]byte(r.stdout), &hosts); err != nil {
		t.Fatal(err)
	}
	if len(hosts) != 1 || hosts[0].Source != "berth" || hosts[0].PID != 4711 || len(hosts[0].Sockets) != 2 {
		t.Fatalf("hosts %+v", hosts)
	}
	if s := hosts[0].Sockets[1]; s.Local != established.Local || s.Peer != established.Peer || s.TCP.RTT != 1250 {
		t.Errorf("socket %+v", s)
	}
}

func TestSSOfABerthThatDoesNotRun(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	r := run(t, "", "ss", "--berth", "bt7")
	wantStatus(t, r.status, exitNetwork)
	want(t, "standard error", r.stderr, "berth ss: no running berth has the process number or the TUN \"bt7\"\n")
}

func TestSSRefusesADirectoryThatIsOpenToOthers(t *testing.T) {
	d := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", d)
	if err := os.Mkdir(d+"/berth", 0o755); err != nil {
		t.Fatal(err)
	}
	r := run(t, "", "ss")
	wantStatus(t, r.status, exitNetwork)
	if !strings.Contains(r.stderr, "is open to others (mode 0755)") {
		t.Errorf("said %q", r.stderr)
	}
}

func TestSSOfTheKernel(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel's table is there on Linux only")
	}
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	b := start(t, "echo", "127.0.0.1:0")
	addr := b.address()
	c := dial(t, "tcp", addr)
	r := run(t, "", "ss", "-t", "-a", "-p", "-i", "--json")
	wantStatus(t, r.status, exitSuccess)
	var hosts []host
	if err := json.Unmarshal([]byte(r.stdout), &hosts); err != nil {
		t.Fatal(err)
	}
	states := map[string]bool{}
	for _, s := range hosts[0].Sockets {
		if s.Local.String() == addr && (s.State == "LISTEN" || s.Peer.String() == c.LocalAddr().String()) {
			states[s.State] = true
			if s.Inode != 0 && (len(s.Users) == 0 || s.Users[0].PID != os.Getpid()) {
				t.Errorf("%s: users %v, want this process, %d", s.State, s.Users, os.Getpid())
			}
		}
	}
	if !states["LISTEN"] || !states["ESTAB"] {
		t.Errorf("%s has states %v", addr, states)
	}

	text := run(t, "", "ss")
	want(t, "standard error", text.stderr, "berth ss: no berth with a host of its own is running: these are the kernel's sockets\n")
	_, port, _ := strings.Cut(addr, ":")
	if _, err := strconv.Atoi(port); err != nil || !strings.Contains(text.stdout, "127.0.0.1:"+port) {
		t.Errorf("no %s in\n%s", addr, text.stdout)
	}
}
