package script_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/berth/lab/script"
)

func TestMistakesHaveAPlace(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"0 < S 0:0(0", "t.pkt:1:12: ')' is expected, not the end of the file"},
		{"0 < S 0:1(0)", "t.pkt:1:7: 0 and 1 do not differ by the length 0"},
		{"0 < Sx 0:0(0)", "t.pkt:1:5: \"Sx\" are not TCP flags: they are of SFRPUEWA and '.', or '-'"},
		{"\n  0 ?", "t.pkt:2:5: a packet, a call, a command or %{ }% is expected, not '?'"},
		{"* < . 1:1(0)", "t.pkt:1:3: '*' and ranges are times of packets that go out"},
		{"0.2~0.1 > . 1:1(0)", "t.pkt:1:5: the range of time ends before it begins"},
		{"0 < . 1:1(0) <...>", "t.pkt:1:15: <...> is for packets that go out"},
		{"0 < [ect01] . 1:1(0)", "t.pkt:1:6: [ect01] is for packets that go out"},
		{"0 < . 1:1(0) win 70000", "t.pkt:1:18: a window 70000 is out of range"},
		{"0 < . 1:1(0) <sack>", "t.pkt:1:19: a block of SACK is expected, not '>'"},
		{"0 < . 1:1(0) <md5 xyz>", "t.pkt:1:19: bytes in hexadecimal are expected, not 'xyz'"},
		{"0 < . 1:1(0) <mss 1,sackOK,TS val 1 ecr 1,sack 1:2 1:2 1:2 1:2>", "t.pkt:1:43: the TCP options are longer than 40 bytes"},
		{"0 close(3) 0", "t.pkt:1:12: '=' is expected, not '0'"},
		{"0 close(3 = 0", "t.pkt:1:11: ',' or ')' is expected, not '='"},
		{"0 close(" + strings.Repeat("[", 30), "t.pkt:1:29: expressions are nested too deep"},
		{"/* no end", "t.pkt:1:1: comment without end"},
		{"0 `sysctl", "t.pkt:1:3: ` without `"},
		{"#ifdef X\n0 close(3) = 0", "t.pkt:1:1: #ifdef without #endif"},
		{"#else", "t.pkt:1:1: #else without #ifdef"},
		{"--mtu=\n", "t.pkt:2:1: --mtu= has no value"},
		{"0 > gre : . 1:1(0)", "t.pkt:1:5: not supported: packets within gre"},
		{"0 < . 1:1(0) {mut ip ihl}", "t.pkt:1:14: not supported: packets that are damaged at random"},
		{"0 < . 1:1(0) <mptcp>", "t.pkt:1:15: not supported: the TCP option 'mptcp'"},
		{"0 %{ import os }%", "t.pkt:1:3: not supported: the code \"import os\": there are assert, print and assignments"},
		{"0 %{ assert tcpi_rtt == }%", "t.pkt:1:3: a value is expected, not the end of the file"},
		{"0 %{ assert len(x) }%", "t.pkt:1:3: not supported: the function len in code"},
	} {
		_, err := script.Parse("t.pkt", []byte(tt.src), nil)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q:\n got %v\nwant %s", tt.src, err, tt.want)
		}
	}
}

// TestRunsEndWithAReason: what a script asks for and the host does not do.
func TestRunsEndWithAReason(t *testing.T) {
	const listening = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
	const syn = listening + "+0 < S 0:0(0) win 1000 <mss 1000>\n"
	for _, tt := range []struct {
		src, want   string
		unsupported bool
	}{
		{"0 socket(..., 77, IPPROTO_TCP) = 3", "socket gave -1 EINVAL, not 3", false},
		{"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = -1 EPERM (x)", "socket gave 3, not -1 EPERM", false},
		{"0 close(9) = 0", "close gave -1 EBADF, not 0", false},
		{listening + "+0 accept(3, ..., ...) = 4", "accept waits, and the script does not say until when", false},
		{listening + "+0...1 accept(3, ..., ...) = 4", "accept still waits at 1.125000: it was to end at 1.000000", false},
		{syn + "+0 > S. 0:0(0) ack 2 <mss 1460>", "    ack        2, but was 1", false},
		{syn + "+0 > S. 0:0(0) ack 1 <mss 1461>", "    options    <mss 1461>, but was <mss 1460>", false},
		{syn + "+0 > S. 0:0(0) ack 1 win 7 <...>", "    win        7, but was ", false},
		{syn + "+0 > [ect0] S. 0:0(0) ack 1 <...>", "    ecn        2, but was 0", false},
		{syn + "+0 > udp (10)", "    protocol   udp, but was tcp", false},
		{syn + "+.5 > S. 0:0(0) ack 1 <...>", "the packet went out at 0.000000, not at 0.500000", false},
		{listening + "+.5 > S. 0:0(0) ack 1 <...>", "the host sent nothing by 0.562500, where this is expected at 0.500000", false},
		{listening + "+0 %{ assert tcpi_state == TCP_ESTABLISHED }%", "    tcpi_state = 10", false},
		{listening + "+0 setsockopt(3, SOL_SOCKET, SO_NEW, [1], 4) = 0", "the constant SO_NEW", true},
		{listening + "+0 %{ assert tcpi_new == 1 }%", "the variable tcpi_new", true},
		{"0 splice(3) = 0", "the call splice", true},
		{"`sysctl -w net.ipv4.tcp_dsack=0`", "net.ipv4.tcp_dsack=0: berth has 1, which cannot be changed", true},
		{"`sysctl -w net.ipv4.tcp_sack=7`", "net.ipv4.tcp_sack=7", true},
		{"0 socket(..., SOCK_STREAM, 0) = 3\n+0 `sysctl net.inet.tcp.sack.enable=0`\n+0 connect(3, ..., ...) = 0", "changing net.inet.tcp.sack.enable when the host is running", true},
		{listening + "+0 `ss -tn | grep -q :8080`", "the command \"ss -tn | grep -q :8080\" fails; there is:\n    State", false},
		{listening + "+0 `! ss -tln | grep -q LISTEN`", "LISTEN 0 1 192.168.0.1:8080 *:*", false},
		{listening + "+0 `ss -tn --bpf`", "the command \"ss -tn --bpf\"", true},
		{listening + "+0 `ss -tn | awk x`", "the command \"awk x\" behind '|'", true},
		{"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 sendmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 1}], msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_PKTINFO, cmsg_data=1}], msg_flags=0}, 0) = 1", "the control message IP_PKTINFO to send", true},
		{"`iptables -F`", "the command \"iptables -F\"", true},
		{"--frobnicate=1\n0 close(3) = -1 EBADF (x)", "the option --frobnicate", true},
		{"0 < icmp unreachable nobody [1:1(0)]", "the ICMP message \"unreachable\" \"nobody\" with ipv4", true},
	} {
		s, err := script.Parse("t.pkt", []byte(tt.src), nil)
		if err != nil {
			t.Errorf("%q: %v", tt.src, err)
			continue
		}
		r := s.Run(script.Config{})
		if r.Err == nil || !strings.Contains(r.Err.Error(), tt.want) || r.Unsupported() != tt.unsupported {
			t.Errorf("%q:\n got %v (unsupported: %v)\nwant %s", tt.src, r.Err, r.Unsupported(), tt.want)
		}
	}
}

// A script for FreeBSD has its window scale, its IPv6 MSS and its order of options;
// for Linux all three would be wrong.
func TestProfiles(t *testing.T) {
	const src = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <mss MSS,nop,wscale 6,sackOK,TS val 100 ecr 0>
`
	for v, mss := range map[script.Variant]string{script.IPv4: "1460", script.IPv6: "1440"} {
		s, err := script.Parse("t.pkt", []byte(src), map[string]string{"MSS": mss})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []script.Profile{script.Linux, script.FreeBSD} {
			if r := s.Run(script.Config{Variant: v, Profile: p}); r.Passed() != (p == script.FreeBSD) {
				t.Errorf("%v, %v: %v", v, p, r.Err)
			}
			if got, err := script.ParseProfile(p.String()); got != p || err != nil {
				t.Errorf("%v is read as %v, %v", p, got, err)
			}
		}
	}
	if _, err := script.ParseProfile("plan9"); err == nil {
		t.Error("plan9 is a profile")
	}
}

func TestDefinitionsAndConditions(t *testing.T) {
	const src = `--define=PROTO=IPPROTO_TCP
#ifdef LATE
+5 close(9) = -1 EBADF (Bad file descriptor)
#else
+1 close(9) = -1 EBADF (Bad file descriptor)
#endif
#ifndef LATE
+0 close(9) = -1 EBADF (Bad file descriptor)
#endif
+0 socket(..., SOCK_STREAM, PROTO) = 3 // the first
`
	for _, tt := range []struct {
		defines map[string]string
		time    time.Duration
		skipped int
	}{
		{nil, time.Second, 1},
		{map[string]string{"LATE": ""}, 5 * time.Second, 2},
	} {
		s, err := script.Parse("t.pkt", []byte(src), tt.defines)
		if err != nil {
			t.Fatal(err)
		}
		r := s.Run(script.Config{})
		if !r.Passed() || r.Time != tt.time || len(s.Skipped) != tt.skipped {
			t.Errorf("%v: %v at %v, left out %v", tt.defines, r.Err, r.Time, s.Skipped)
		}
	}
}

func TestVariantsOfAScript(t *testing.T) {
	for src, want := range map[string]int{"0 close(9) = -1": 3, "--ip_version=ipv6\n0 close(9) = -1": 1} {
		s, err := script.Parse("t.pkt", []byte(src), nil)
		if err != nil || len(s.Variants()) != want {
			t.Errorf("%q: %v, %v", src, s.Variants(), err)
		}
	}
	for _, v := range script.Variants {
		if got, err := script.ParseVariant(v.String()); got != v || err != nil {
			t.Errorf("%v is read as %v, %v", v, got, err)
		}
	}
	if _, err := script.ParseVariant("ipx"); err == nil {
		t.Error("ipx is a variant")
	}
}

// FuzzScript reads and runs whatever there is; nothing may panic, and no run may
// go on for ever.
func FuzzScript(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.pkt")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 4096 {
			return
		}
		s, err := script.Parse("fuzz.pkt", src, nil)
		if err != nil {
			return
		}
		s.Run(script.Config{})
	})
}
