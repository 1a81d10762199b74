package main

import (
	"encoding/json"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
)

func TestPerfHelp(t *testing.T) {
	for _, name := range []string{"", "server", "client"} {
		args := append([]string{"perf"}, strings.Fields(name)...)
		r := run(t, "", append(args, "--help")...)
		wantStatus(t, r.status, exitSuccess)
		golden(t, "help/berthperf"+name+".txt", r.stdout)
		for line := range strings.Lines(r.stdout) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 {
				t.Errorf("%s: a line of %d columns: %s", name, n, line)
			}
		}
	}
}

func TestPerfUsageErrors(t *testing.T) {
	for _, tt := range []struct{ args, problem, marked, hint string }{
		{"perf x", `unknown command "x"`, "x", "'berth perf server'"},
		{"perf client", "no host is given", "", "HOST is the name"},
		{"perf client a b", `one argument too many: "b"`, "b", "-p sets its port"},
		{"perf client -P 0 a", "-P/--parallel 0 is out of range", "0", "from 1 to 128"},
		{"perf client -p 70000 a", "-p/--port 70000 is out of range", "70000", "from 1 to 65535"},
		{"perf client -t 0 a", `invalid -t/--time "0": want at least 1ms`, "0", "-t/--time TIME"},
		{"perf client -n 1X a", `invalid -n/--bytes "1X": want a number such as 1500, 64K or 1.5G`, "1X", "-n/--bytes BYTES"},
		{"perf client -n 0 a", "-n/--bytes 0 is out of range", "0", "at least 1"},
		{"perf client -b -5 a", `invalid -b/--bitrate "-5": the number is out of range`, "-5", "RATE"},
		{"perf client -l 2M a", "-l/--length 2M is out of range", "2M", "from 1 to 1048576"},
		{"perf client -u -l 20 a", "-l/--length 20 is out of range", "20", "from 24 to 65507"},
		{"perf client -R --bidir a", "-R/--reverse and --bidir exclude each other", "--bidir", "with --bidir both"},
		{"perf client -t 1 -n 1K a", "-t/--time and -n/--bytes exclude each other", "-n", "after a time"},
		{"perf client --mtu 1400 a", "--mtu needs --tun", "--mtu", "--tun NAME makes a host"},
		{"perf server a b", `one argument too many: "b"`, "b", "-p sets the port"},
		{"perf server -p 0", "-p/--port 0 is out of range", "0", "from 1 to 65535"},
	} {
		r := run(t, "", strings.Fields(tt.args)...)
		wantStatus(t, r.status, exitUsage)
		want(t, "standard output", r.stdout, "")
		if !strings.Contains(r.stderr, ": "+tt.problem+"\n") || !strings.Contains(r.stderr, tt.hint) {
			t.Errorf("berth %s: %s", tt.args, r.stderr)
		}
		lines := strings.Split(r.stderr, "\n")
		if len(lines) < 4 {
			t.Fatalf("berth %s: %s", tt.args, r.stderr)
		}
		if got := marked(lines[2], lines[3]); got != tt.marked {
			t.Errorf("berth %s: %q is marked, want %q", tt.args, got, tt.marked)
		}
	}
}

// perfServer starts a server on a port that is free.
func perfServer(t *testing.T, args ...string) (b *background, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()
	b = start(t, append([]string{"perf", "server", "-i", "0", "-p", port}, args...)...)
	b.address()
	return b, port
}

func TestPerf(t *testing.T) {
	for _, args := range []string{"", "-R -P 3", "--bidir", "-u -b 100M", "-u -R -b 100M"} {
		t.Run(args, func(t *testing.T) {
			b, port := perfServer(t, "--one-off", "127.0.0.1")
			go io.Copy(io.Discard, b.out)
			r := run(t, "", append(strings.Fields("perf client -i 0 -n 500K -p "+port+" "+args), "127.0.0.1")...)
			wantStatus(t, r.status, exitSuccess)
			want(t, "standard error", r.stderr, "")
			for _, who := range []string{"sender", "receiver"} {
				if !regexp.MustCompile(`(?m)^\[.*sec .* ` + who + `$`).MatchString(r.stdout) {
					t.Errorf("no line of the %s in\n%s", who, r.stdout)
				}
			}
			wantStatus(t, b.end(), exitSuccess)
		})
	}
}

func TestPerfJSON(t *testing.T) {
	b, port := perfServer(t, "--one-off", "--json", "127.0.0.1")
	said := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(b.out)
		said <- string(text)
	}()
	r := run(t, "", "perf", "client", "--json", "-n", "64K", "-p", port, "127.0.0.1")
	wantStatus(t, r.status, exitSuccess)
	wantStatus(t, b.end(), exitSuccess)
	for who, text := range map[string]string{"client": r.stdout, "server": <-said} {
		var report map[string]any
		if err := json.Unmarshal([]byte(text), &report); err != nil {
			t.Errorf("the %s: %v in\n%s", who, err, text)
		}
	}
}

func TestPerfWithoutAServer(t *testing.T) {
	r := run(t, "", "perf", "client", "-p", "1", "127.0.0.1")
	wantStatus(t, r.status, exitNetwork)
	want(t, "standard error", r.stderr, "berth perf client: connect to 127.0.0.1:1 (tcp): connection refused\n")
}

func TestPerfServerEndsWithCtrlC(t *testing.T) {
	b, _ := perfServer(t, "127.0.0.1")
	b.interrupt()
	wantStatus(t, b.end(), exitSuccess)
}
