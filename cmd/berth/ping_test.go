package main

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"example.com/berth/kernel"
	"example.com/berth/socket"
)

// needPing skips the test where neither kind of socket is allowed.
func needPing(t *testing.T) {
	t.Helper()
	for _, typ := range []socket.Type{socket.DGRAM, socket.RAW} {
		s, err := kernel.Sockets().Socket(socket.INET, typ, socket.IPPROTO_ICMP)
		if err == nil {
			s.Close()
			return
		}
		if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EACCES) {
			t.Fatal(err)
		}
	}
	t.Skip("neither ping sockets nor raw ones are allowed here")
}

// normal replaces what differs from run to run.
func normal(s string) string {
	for _, r := range []struct{ from, to string }{
		{`time=[\d.]+ ms`, "time=T ms"},
		{`time \d+ms`, "time Tms"},
		{`= [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms`, "= T/T/T/T ms"},
		{`"(time_ms|min|max|avg|mdev)":[\d.e-]+`, `"$1":0`},
	} {
		s = regexp.MustCompile(r.from).ReplaceAllString(s, r.to)
	}
	return s
}

func TestPing(t *testing.T) {
	needPing(t)
	for _, tt := range []struct{ name, args, want string }{
		{"IPv4", "-c 3 -i 0.01 127.0.0.1", `PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.
64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=T ms
64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time=T ms
64 bytes from 127.0.0.1: icmp_seq=3 ttl=64 time=T ms

--- 127.0.0.1 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time Tms
rtt min/avg/max/mdev = T/T/T/T ms
`},
		{"IPv6", "-c 1 ::1", `PING ::1(::1) 56 data bytes
64 bytes from ::1: icmp_seq=1 ttl=64 time=T ms

--- ::1 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time Tms
rtt min/avg/max/mdev = T/T/T/T ms
`},
		{"a name", "-4 -c 1 -s 1400 localhost", `PING localhost (127.0.0.1) 1400(1428) bytes of data.
1408 bytes from localhost (127.0.0.1): icmp_seq=1 ttl=64 time=T ms

--- localhost ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time Tms
rtt min/avg/max/mdev = T/T/T/T ms
`},
		{"quiet, without data", "-q -s 0 -c 2 -i 1ms -t 7 127.0.0.1", `PING 127.0.0.1 (127.0.0.1) 0(28) bytes of data.

--- 127.0.0.1 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time Tms
rtt min/avg/max/mdev = T/T/T/T ms
`},
		{"JSON", "--json -c 1 127.0.0.1", `{"addr":"127.0.0.1","host":"127.0.0.1","size":56,"type":"begin"}
{"bytes":64,"duplicate":false,"from":"127.0.0.1","seq":1,"time_ms":0,"ttl":64,"type":"reply"}
{"duplicates":0,"errors":0,"host":"127.0.0.1","loss_percent":0,"received":1,"rtt_ms":{"avg":0,"max":0,"mdev":0,"min":0},"sent":1,"time_ms":0,"type":"end"}
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "", append([]string{"ping"}, strings.Fields(tt.args)...)...)
			wantStatus(t, r.status, exitSuccess)
			want(t, "standard error", r.stderr, "")
			want(t, "standard output", normal(r.stdout), tt.want)
		})
	}
}

func TestPingThatIsInterruptedTellsTheStatistics(t *testing.T) {
	needPing(t)
	b := start(t, "ping", "-i", "1ms", "127.0.0.1")
	for range 4 {
		b.out.ReadString('\n')
	}
	b.interrupt()
	rest := ""
	for {
		line, err := b.out.ReadString('\n')
		rest += line
		if err != nil {
			break
		}
	}
	if !strings.Contains(rest, "--- 127.0.0.1 ping statistics ---") || !strings.Contains(rest, "rtt min/avg/max/mdev") {
		t.Errorf("said %q", rest)
	}
	wantStatus(t, b.end(), exitSuccess)
}

func TestPingOfNobody(t *testing.T) {
	needPing(t)
	r := run(t, "", "ping", "-c", "1", "host.invalid")
	wantStatus(t, r.status, exitNetwork)
	want(t, "standard output", r.stdout, "")
	if !strings.Contains(r.stderr, "no such host") {
		t.Errorf("said %q", r.stderr)
	}
}

func TestPingJSONIsJSON(t *testing.T) {
	needPing(t)
	r := run(t, "", "ping", "--json", "-c", "2", "-i", "1ms", "127.0.0.1")
	for line := range strings.Lines(r.stdout) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}
