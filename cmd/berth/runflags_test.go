package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestPublishFlag(t *testing.T) {
	for _, tt := range []struct {
		text, network, outside string
		inside                 uint16
	}{
		{"8080:80", "tcp", "127.0.0.1:8080", 80},
		{"0:80", "tcp", "127.0.0.1:0", 80},
		{"5353:53/udp", "udp", "127.0.0.1:5353", 53},
		{"0.0.0.0:8080:80/tcp", "tcp", "0.0.0.0:8080", 80},
		{"[::]:8080:80", "tcp", "[::]:8080", 80},
	} {
		p, err := parsePublish(tt.text)
		if err != nil || p.Network != tt.network || p.Outside != tt.outside || p.Inside != tt.inside {
			t.Errorf("%s: %+v, %v", tt.text, p, err)
		}
	}
	for _, text := range []string{"", "80", "80:", ":80", "80:0", "80:70000", "70000:80", "-1:80", "80:80/sctp", "host:80:80", "80:x"} {
		if p, err := parsePublish(text); err == nil {
			t.Errorf("%q is %+v", text, p)
		}
	}
}

func TestLineFlags(t *testing.T) {
	read := func(args ...string) (*lineOptions, error) {
		var o lineOptions
		set := pflag.NewFlagSet("run", pflag.ContinueOnError)
		o.add(set)
		return &o, set.Parse(args)
	}
	o, err := read("--profile", "3G", "--delay=50ms", "--loss=1%", "--rate=10mbit", "--queue=64KiB", "--seed=7",
		"--line", "a.example: delay=1s", "--line", "tcp/10.0.0.0/8:443: profile=DSL, loss=2%")
	if err != nil {
		t.Fatal(err)
	}
	down, up := o.read()
	if down.Delay != 50*time.Millisecond || up.Loss != 0.01 || down.Rate != 10_000_000 || up.Queue != 64<<10 || down.Seed == up.Seed {
		t.Errorf("down %+v, up %+v", down, up)
	}
	if len(o.special) != 2 {
		t.Fatalf("%d lines", len(o.special))
	}
	if down, up := o.special[1].Configs(1); down.Loss != 0.02 || down.Rate == up.Rate {
		t.Errorf("the second line: down %+v, up %+v", down, up)
	}
	if o, err = read(); err != nil {
		t.Fatal(err)
	}
	if down, up := o.read(); down.Delay+up.Delay != 0 || down.Rate != 0 {
		t.Errorf("without flags: %+v, %+v", down, up)
	}
	for _, arg := range []string{
		"--profile=4711G", "--delay=50", "--delay=-1s", "--jitter=x", "--loss=200%", "--rate=0bit", "--rate=fast",
		"--queue=0", "--queue=9GiB", "--trace=/no/such/file", "--line=a.example", "--line=a.example: ",
	} {
		if _, err := read(arg); err == nil {
			t.Errorf("%s is taken", arg)
		}
	}
}

// Mistakes in values that have a grammar are shown at their places.
func TestMistakesInFlagsOfRun(t *testing.T) {
	for _, tt := range []struct{ arg, says string }{
		{"--allow=tcp/a:99999", "berth run: rule \"tcp/a:99999\", column 7: this is not a port: \"99999\"\n\n    tcp/a:99999\n          ^^^^^\nHint:  a port is a number from 1 to 65535\n"},
		{"--line=a.example: delay=1s,dely=5ms", "berth run: line \"a.example: delay=1s,dely=5ms\", column 21: unknown setting \"dely\"\n\n    a.example: delay=1s,dely=5ms\n                        ^^^^\nHint:  there are profile, delay, jitter, loss, rate, queue, trace\n"},
		{"--delay=50", "berth run: invalid --delay: \"50\" has no unit\n\n    berth run --delay=50 true\n"},
	} {
		r := run(t, "", "run", tt.arg, "true")
		if r.status != exitRun || !strings.HasPrefix(r.stderr, tt.says) {
			t.Errorf("%s: status %d, it says\n%s\nwant\n%s", tt.arg, r.status, r.stderr, tt.says)
		}
	}
}

// A flag that says nothing as the others are is a mistake, and so is an empty one: what
// a person says is done, or the person is told that it is not.
func TestFlagsOfRunWithoutMeaning(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(trace, []byte("1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, problem, marked, hint string }{
		{"--queue 64KiB", "--queue: nothing limits the line", "--queue", "goes with rate"},
		{"--delay 5ms --queue=64KiB", "--queue: nothing limits the line", "--queue", "goes with rate"},
		{"--rate 1mbit --trace FILE", "--rate: the trace says how fast", "--rate", "leave out one"},
		{"--ask-time 5s", "--ask-time has no meaning without --ask", "--ask-time", "--ask asks you"},
		{"--seed 3", "--seed has no meaning without a bad line", "--seed", "--loss"},
		{"--host a", "--host is about a lab", "--host", "--lab NAME"},
		{"--shape a.yaml", "--shape is about a lab", "--shape", "--lab NAME"},
		{"--report a.html", "--report is about a lab", "--report", "--lab NAME"},
		{"--net none --allow a", "--allow has no meaning with --net none", "--allow", "host-only"},
		{"--net none --deny a", "--deny has no meaning with --net none", "--deny", "host-only"},
		{"--net none --policy a", "--policy has no meaning with --net none", "--policy", "host-only"},
		{"--net none --learn a", "--learn has no meaning with --net none", "--learn", "host-only"},
		{"--net none --events a", "--events has no meaning with --net none", "--events", "host-only"},
		{"--net none --loopback", "--loopback has no meaning with --net none", "--loopback", "host-only"},
		{"--net none --dns 192.0.2.1", "--dns has no meaning with --net none", "--dns", "host-only"},
		{"--net none --mtu 1500", "--mtu has no meaning with --net none", "--mtu", "host-only"},
		{"--net none --profile 3G", "--profile has no meaning with --net none", "--profile", "host-only"},
		{"--net none --delay 5ms", "--delay has no meaning with --net none", "--delay", "host-only"},
		{"--net none --jitter 5ms", "--jitter has no meaning with --net none", "--jitter", "host-only"},
		{"--net none --loss 1%", "--loss has no meaning with --net none", "--loss", "host-only"},
		{"--net none --rate 1mbit", "--rate has no meaning with --net none", "--rate", "host-only"},
		{"--net none --trace FILE", "--trace has no meaning with --net none", "--trace", "host-only"},
		{"--net none --pcap a", "--pcap has no meaning with --net none", "--pcap", "host-only"},
		{"--net none --seed 1", "--seed has no meaning with --net none", "--seed", "host-only"},
		{"--net none --ask", "with --net none there is nothing to ask about", "--ask", "--net full"},
		{"--net none -p 80:80", "with --net none nothing can be published", "80:80", "host-only"},
		{"--net host-only --dns 192.0.2.1", "--dns has no meaning with --net host-only", "--dns", "host.berth.internal"},
		{"--lab a --host b --mtu 1500", "--mtu has no meaning in a lab", "--mtu", "--shape"},
		{"--lab a --host b --deny c", "--deny has no meaning in a lab", "--deny", "no rules"},
		{"--lab a --host b --publish 80:80", "--publish has no meaning in a lab", "--publish", "no way to the world"},
		{"--lab a --host b --events c", "--events has no meaning in a lab", "--events", "--pcap"},
		{"--policy=", "--policy is empty", "--policy", "leave it out"},
		{"--learn=", "--learn is empty", "--learn", "leave it out"},
		{"--events=", "--events is empty", "--events", "leave it out"},
		{"--pcap=", "--pcap is empty", "--pcap", "leave it out"},
		{"--loopback=", "--loopback is empty", "--loopback", "leave it out"},
		{"--lab a --host b --shape=", "--shape is empty", "--shape", "leave it out"},
		{"--lab a --host b --report=", "--report is empty", "--report", "leave it out"},
		{"--net none --line a:+delay=1s", "--line has no meaning with --net none", "--line", "host-only"},
		{"--lab a --host b --line c:+delay=1s", "--line has no meaning in a lab", "--line", "--shape"},
	} {
		args := strings.Fields(strings.ReplaceAll(tt.args, "FILE", trace))
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "+", " ")
		}
		r := run(t, "", append(append([]string{"run"}, args...), "true")...)
		lines := strings.Split(r.stderr, "\n")
		if r.status != exitRun || !strings.Contains(lines[0], tt.problem) {
			t.Errorf("%s: status %d, it says\n%s", tt.args, r.status, r.stderr)
			continue
		}
		if got := marked(lines[2], lines[3]); got != tt.marked || !strings.Contains(lines[5], tt.hint) {
			t.Errorf("%s: %q is marked, want %q, and the hint is %q, want %q", tt.args, got, tt.marked, lines[5], tt.hint)
		}
	}
	for _, args := range []string{
		"", "--loss 1% --seed 3", "--rate 1mbit --queue 9KiB", "--profile 3G --queue 9KiB", "--jitter 5ms", "--profile 3G --trace FILE",
		"--line a:+loss=1% --seed 3", "--net none --root -q -v", "--net host-only --loopback=192.0.0.9 --allow :80 --delay 1ms", "--mtu 1500 --dns 192.0.2.1",
	} {
		args := strings.Fields(strings.ReplaceAll(args, "FILE", trace))
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "+", " ")
		}
		if r := run(t, "", append(append([]string{"run"}, args...), "no-such-program")...); r.status != 127 {
			t.Errorf("%s: status %d, %s", args, r.status, r.stderr)
		}
	}
}
