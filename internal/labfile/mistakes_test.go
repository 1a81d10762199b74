package labfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/berth/internal/mistake"
)

// TestMistakes are those that the command's tests do not have.
func TestMistakes(t *testing.T) {
	const ab = "hosts: [a, b]\n"
	for _, tt := range []struct{ text, want string }{
		{"- a\n", `1:1: the file is a mapping, with a key and its value on each line, not a list`},
		{"hosts: [a, {b: c}]\n", "1:12: there is a mapping where a value should be"},
		{"hosts: [a, ]\nname: [x]\n", "2:7: there is a list where a value should be"},
		{"hosts: [-a]\n", `1:9: "-a" is no name for a host`},
		{"hosts: [localhost]\n", `1:9: "localhost" is no name for a host`},
		{"hosts: {a: {kind: hots}}\n", `1:19: kind cannot be "hots"`},
		{"hosts: {a: {behavior: symmetric}}\n", "1:13: behavior belongs to a NAT, and a is a host"},
		{"hosts: {n: {kind: nat, forward: tcp 80 web:80}}\n", `1:33: "tcp 80 web:80" is not how a port is forwarded`},
		{"hosts: {n: {kind: nat, forward: tcp 0 to n:80}}\n", `1:33: "0" is no port`},
		{"hosts: {n: {kind: nat, forward: tcp 80 to n}}\n", `1:33: the port is missing after "n"`},
		{"hosts: {n: {kind: nat, forward: tcp 80 to m:80}}\n", `1:33: there is no host "m"`},
		{"seed: -1\n" + ab, `1:7: seed: "-1" is not a whole number`},
		{"seed: 99999999999999999999\n" + ab, `1:7: seed: "99999999999999999999" is too large`},
		{"for: 0s\n" + ab, `1:6: for: "0s" is no time at all`},
		{"for: 9000h\n" + ab, `1:6: for: "9000h" is more than a year`},
		{"time: slow\n" + ab, `1:7: time cannot be "slow"`},
		{"topology: {star: 0}\n", `1:18: star: "0" is out of range: want 1 to 1000`},
		{"topology: {star: 1000000000}\n", `1:18: star: "1000000000" is out of range: want 1 to 1000`},
		{"topology: {star: 2, lan: 3}\n", "1:21: there is a star already"},
		{"topology: {}\n", "1:11: the topology has no kind"},
		{"topology: {pair: 2}\n", "1:18: a pair has two hosts, a and b, and no number"},
		{"topology: {star: 2, edge: {delay: 1s}}\n", "1:21: only a dumbbell has edges"},
		{ab + "links: [a]\n", `2:9: a link is a mapping, not "a"`},
		{ab + "links: [{delay: 1s}]\n", "2:9: the link does not say what it is between"},
		{ab + "links: [{between: [a]}]\n", "2:19: between is a list of two hosts, not a list"},
		{ab + "links: [{between: [a, a]}]\n", "2:23: both ends of the link are a"},
		{ab + "links: [{between: [a, b], a-to-c: {}}]\n", `2:27: unknown key "a-to-c" in a link`},
		{ab + "links: [{between: [a, b], profile: 6G}]\n", `2:36: profile cannot be "6G"`},
		{ab + "links: [{between: [a, b], mtu: 10}]\n", `2:32: mtu: "10" is out of range: want 68 to 65535`},
		{ab + "links: [{between: [a, b], loss: -1%}]\n", `2:33: loss: "-1%" is below 0`},
		{ab + "links: [{between: [a, b], loss: NaN}]\n", `2:33: loss: "NaN" is not a share`},
		{ab + "links: [{between: [a, b], loss: 1e-3}]\n", `2:33: loss: "1e-3" is not a share`},
		{ab + "links: [{between: [a, b], delay: -1s}]\n", `2:34: delay: "-1s" is negative`},
		{ab + "links: [{between: [a, b], rate: 0 bit/s}]\n", `2:33: rate: "0 bit/s" lets nothing through: cut the link, or lose 100%`},
		{ab + "links: [{between: [a, b], rate: 10 MB/s}]\n", `2:33: rate: "10 MB/s" is in bytes: rates are in bits`},
		{ab + "links: [{between: [a, b], rate: 10 furlong}]\n", `2:33: rate: "10 furlong" has an unknown unit "furlong"`},
		{ab + "links: [{between: [a, b], queue: 0 B}]\n", `2:34: queue: "0 B" holds nothing`},
		{ab + "links: [{between: [a, b], codel: maybe}]\n", `2:34: codel: "maybe" is neither true nor false`},
		{ab + "links: [{between: [a, b], burst-loss: 1%}]\n", `2:39: burst-loss is a mapping, with a key and its value on each line, not "1%"`},
		{ab + "links: [{between: [a, b], burst-loss: {share: 1%}}]\n", "2:39: burst-loss needs a share, and the mean length of bursts in packets"},
		{ab + "links: [{between: [a, b], burst-loss: {share: 90%, length: 2}}]\n", "2:39: bursts of 2 packets cannot lose 90% of all"},
		{ab + "links: [{between: [a, b], trace: x}]\n", `2:34: trace: "x" cannot be opened here`},
		{ab + "links: [{between: [a, b], addresses: {c: 10.0.0.1/8}}]\n", `2:39: unknown key "c" in the addresses of the link a - b`},
		{ab + "links: [{between: [a, b], addresses: {a: 10.0.0.1}}]\n", `2:42: the length of the prefix is missing after "10.0.0.1"`},
		{ab + "links: [{between: [a, b], addresses: {a: 10.0.0/8}}]\n", `2:42: "10.0.0/8" is no address`},
		{ab + "links: [{between: [a, b], addresses: {a: 224.0.0.1/4}}]\n", `2:42: "224.0.0.1/4" cannot be the address of an interface`},
		{"hosts: {a: host, s: switch}\nlinks: [{between: [a, s], addresses: {s: 10.0.0.1/8}}]\n", "2:39: s is a switch: it has no address"},
		{ab + "links: [{name: x, between: [a, b]}, {name: x, between: [b, a]}]\n", `2:56: there is a link called "x" already`},
		{ab + "links: [{between: [a, b]}, {between: [a, b]}]\nevents: [{at: 1s, cut: [a, b]}]\n", "3:24: there are 2 links between a and b"},
		{ab + "events: [{cut: [a, b]}]\n", "2:10: the event does not say when it happens"},
		{ab + "events: [{at: 1s}]\n", "2:10: the event does nothing"},
		{ab + "events: [{at: 1s, crash: a, restart: b}]\n", "2:29: the event does crash already"},
		{ab + "events: [{at: 1s, restart: b, for: 1s}]\n", "2:31: restart does not end by itself"},
		{ab + "events: [{at: 1s, crash: b, to: {}}]\n", "2:29: to belongs to set, not to crash"},
		{ab + "events: [{at: 1s, set: nowhere}]\n", "2:24: set does not say what the link is set to"},
		{ab + "events: [{at: 1s, cut: nowhere}]\n", `2:24: there is no link called "nowhere"`},
		{ab + "events: [{at: 1s, partition: []}]\n", "2:30: the partition has no hosts"},
		{ab + "events: [now]\n", `2:10: an event is a mapping, not "now"`},
		{ab + "run: [ping]\n", `2:7: a command is a mapping, not "ping"`},
		{ab + "run: [{}]\n", "2:7: the command is empty"},
		{ab + "run: [{ping: {on: a, to: b}, echo: {on: a}}]\n", "2:30: echo is a second command in one entry"},
		{ab + "run: [{ping: {to: a}}]\n", "2:8: ping does not say where it runs"},
		{ab + "run: [{ping: {on: a, to: \"b:80\"}}]\n", `2:26: "b:80" has a port, which does not belong here`},
		{ab + "run: [{http: {on: a, to: \"b:x\"}}]\n", `2:26: "x" is no port`},
		{ab + "run: [{ping: {on: a, to: b, name: x}}, {ping: {on: a, to: b, name: x}}]\n", `2:41: there is a command called "x" already`},
		{ab + "run: [{perf: {on: a, to: b, time: 1s, bytes: 1 MB}}]\n", "2:8: time and bytes are both given"},
		{ab + "run: [{perf: {on: a, to: b, time: 1s, rate: 1 Mbit/s}}]\n", "2:39: rate is for UDP: TCP finds its own"},
		{ab + "run: [{perf: {on: a, to: b, protocol: udp, reverse: true}}]\n", "2:8: reverse is for TCP"},
		{ab + "run: [{perf: {on: a, to: b, congestion: bbr9}}]\n", `2:41: congestion cannot be "bbr9"`},
		{ab + "run: [{connect: {on: a, to: b, text: ''}}]\n", "2:8: the message is empty"},
		{ab + "run: [{echo: {on: a, protocol: tcp, punch: \"b:7\"}}]\n", "2:8: punch is for UDP"},
		{ab + "run: [{ping: {on: a, to: b, expect: {rtt: fast}}}]\n", `2:43: rtt: "fast" is not a duration`},
		{ab + "run: [{ping: {on: a, to: b, expect: {rtt: 3s..2s}}}]\n", `2:43: rtt: nothing is within "3s..2s"`},
		{ab + "? [a]\n: b\n", "2:3: a key of the file is a word, not a list"},
	} {
		_, err := Parse("f", []byte(tt.text), nil)
		var all Errors
		if !errors.As(err, &all) {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got := strings.TrimPrefix(all[0].Error(), "f:"); got != tt.want {
			t.Errorf("%q:\n %s\nwant\n %s", tt.text, got, tt.want)
		}
		var b bytes.Buffer
		all.Print(&b, "x")
		if b.Len() == 0 {
			t.Errorf("%q: nothing is printed", tt.text)
		}
	}
}

func TestMistakesAreSortedAndBounded(t *testing.T) {
	text := "hosts: [a, b]\n"
	for i := range 50 {
		text += fmt.Sprintf("wrong%d: 1\n", i)
	}
	_, err := Parse("f", []byte(text), nil)
	var all Errors
	if !errors.As(err, &all) || len(all) != 20 {
		t.Fatalf("%v", err)
	}
	for i, e := range all {
		if e.Line != i+2 || e.Col != 1 {
			t.Errorf("mistake %d is in %d:%d", i, e.Line, e.Col)
		}
	}
}

// TestAliasesThatMultiply has a short file say too much.
func TestAliasesThatMultiply(t *testing.T) {
	var b strings.Builder
	b.WriteString("hosts: [a]\nx-a: &a [" + strings.Repeat("a,", 5000) + "]\nevents:\n")
	for range 300 {
		b.WriteString("  - {at: 1s, partition: *a}\n")
	}
	_, err := Parse("f", []byte(b.String()), nil)
	if err == nil || !strings.Contains(err.Error(), "the file says more than 1000000 things") {
		t.Errorf("%v", err)
	}
	_, err = Parse("f", []byte("hosts: [a]\n<<: &x {<<: *x}\n"), nil)
	if err == nil {
		t.Error("a mapping that is merged into itself is taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("hosts: [a, b]\nlinks:\n  - {between: [a, b], delay: 20ms, loss: 1%, up: {rate: 1 Mbit/s, queue: 10 packets}}\n"))
	f.Add([]byte("topology: {dumbbell: 2, edge: {delay: 1ms}}\nevents: [{at: 1s, cut: [left, right], for: 1s}, {at: 2s, set: [left, right], to: {profile: LTE}}]\n"))
	f.Add([]byte("hosts: {n: {kind: nat, forward: tcp 80 to a:80}, a: }\nrun: [{perf: {on: a, to: n, expect: {goodput: 1 .. 2 Mbit/s}}}, {http: {on: a, to: n}}]\n"))
	f.Add([]byte("x: &a {<<: *a}\nhosts: *a\n"))
	f.Add([]byte("hosts:\n\t- a\n---\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("f", text, nil)
		if err == nil {
			if len(file.Hosts) == 0 {
				t.Error("a network without hosts is taken")
			}
			return
		}
		var all Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("%v", err)
		}
		for _, e := range all {
			if e.Line < 1 || e.Col < 1 || e.Line > len(mistake.In("", text).Lines) {
				t.Errorf("%d:%d in %q", e.Line, e.Col, text)
			}
		}
		var b bytes.Buffer
		all.Print(&b, "berth lab")
		for _, r := range b.String() {
			if r < ' ' && r != '\n' {
				t.Errorf("a control character is printed: %q", b.String())
			}
		}
	})
}
