package main

import (
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
