package labfile

import (
	"io"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/berth/link/impair"
)

// mustParse reads a file without mistakes.
func mustParse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("test.yaml", []byte(text), func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("1\n2\n3\n")), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestHead(t *testing.T) {
	f := mustParse(t, "name: x\nseed: 9\ntime: fake\nfor: 1m30s\nhosts: [a]\nx-anything: [1, {b: c}]\n")
	if f.Name != "x" || f.Seed != 9 || !f.Fake || f.For != 90*time.Second || f.Path != "test.yaml" || !strings.Contains(f.Hosts[0].Name, "a") {
		t.Errorf("%+v", f)
	}
	if f = mustParse(t, "hosts: [a]\n"); f.Seed != 1 || f.Fake || f.For != 0 {
		t.Errorf("%+v", f)
	}
}

func TestHosts(t *testing.T) {
	f := mustParse(t, `
hosts:
  a:
  b: host
  r: router
  s: switch
  n: nat
  m: {kind: nat, behavior: symmetric, forward: [tcp 80 to a:8080, udp 53 to b:53]}
`)
	var got []string
	for _, h := range f.Hosts {
		got = append(got, h.Name+" "+string(h.Kind)+" "+h.Behavior)
	}
	want := []string{"a host ", "b host ", "r router ", "s switch ", "n nat port-restricted", "m nat symmetric"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	forwards := []Forward{{Pos{Line: 8, Col: 49}, "tcp", 80, Target{"a", 8080}}, {Pos{Line: 8, Col: 67}, "udp", 53, Target{"b", 53}}}
	if !reflect.DeepEqual(f.Hosts[5].Forwards, forwards) {
		t.Errorf("%+v", f.Hosts[5].Forwards)
	}
}

// both applies what a link is like to perfect directions.
func both(l *Link) (up, down impair.Config) {
	l.Up.Apply(&up)
	l.Down.Apply(&down)
	return up, down
}

func TestLinks(t *testing.T) {
	dsl, err := impair.Profile("DSL")
	if err != nil {
		t.Fatal(err)
	}
	slow := dsl.Up
	slow.Delay = time.Second
	for _, tt := range []struct {
		text     string
		up, down impair.Config
	}{
		{"delay: 20 ms, jitter: 1.5ms", impair.Config{Delay: 20e6, Jitter: 1500e3}, impair.Config{Delay: 20e6, Jitter: 1500e3}},
		{"loss: 1%", impair.Config{Loss: 0.01}, impair.Config{Loss: 0.01}},
		{"loss: 0.25, duplicate: 1, corrupt: 100%", impair.Config{Loss: 0.25, Duplicate: 1, Corrupt: 1}, impair.Config{Loss: 0.25, Duplicate: 1, Corrupt: 1}},
		{"up: {rate: 2 Mbit/s, queue: 64 kB}, down: {rate: 20mbps, queue: 10 packets}", impair.Config{Rate: 2e6, Queue: 64e3}, impair.Config{Rate: 20e6, Queue: 15e3}},
		{"a-to-b: {delay: 1s}, delay: 5ms", impair.Config{Delay: 1e9}, impair.Config{Delay: 5e6}},
		{"b-to-a: {reorder: {share: 2%, by: 3}}, reorder: 1%", impair.Config{Reorder: 0.01}, impair.Config{Reorder: 0.02, ReorderGap: 3}},
		{"profile: dsl, up: {delay: 1s}", slow, dsl.Down},
		{"rate: 1 Gbit/s, codel: true", impair.Config{Rate: 1e9, AQM: impair.AQM{CoDel: true}}, impair.Config{Rate: 1e9, AQM: impair.AQM{CoDel: true}}},
		{"ecn: yes, down: {codel: no}", impair.Config{AQM: impair.AQM{CoDel: true, ECN: true}}, impair.Config{}},
		{"up: {burst-loss: {share: 10%, length: 4}}", impair.Config{Burst: impair.Bursts(0.1, 4)}, impair.Config{}},
		{"burst-loss: {share: 10%, length: 4}, down: {loss: 1%}", impair.Config{Burst: impair.Bursts(0.1, 4)}, impair.Config{Loss: 0.01}},
	} {
		f := mustParse(t, "hosts: [a, b]\nlinks: [{between: [a, b], "+tt.text+"}]\n")
		up, down := both(&f.Links[0])
		if !reflect.DeepEqual(up, tt.up) || !reflect.DeepEqual(down, tt.down) {
			t.Errorf("%s:\n%+v\n%+v", tt.text, up, down)
		}
		for _, c := range []impair.Config{up, down} {
			if err := c.Validate(); err != nil {
				t.Errorf("%s: %v", tt.text, err)
			}
		}
	}
}

func TestTraceTakesThePlaceOfARate(t *testing.T) {
	f := mustParse(t, "hosts: [a, b]\nlinks: [{between: [a, b], profile: LTE, trace: some.trace, down: {rate: 1 Mbit/s}}]\n")
	up, down := both(&f.Links[0])
	if up.Trace == nil || up.Rate != 0 || up.Trace.Length() != 3*time.Millisecond || down.Trace != nil || down.Rate != 1e6 {
		t.Errorf("%+v\n%+v", up, down)
	}
}

func TestAddressesAndMTU(t *testing.T) {
	f := mustParse(t, "hosts: [a, b]\nlinks: [{name: wan, between: [a, b], mtu: 1400, addresses: {b: [192.0.2.2/24, '2001:db8::2/64'], a: 192.0.2.1/24}}]\n")
	l := f.Links[0]
	if l.Name != "wan" || l.MTU != 1400 || len(l.AddrsA) != 1 || len(l.AddrsB) != 2 || l.AddrsB[1] != netip.MustParsePrefix("2001:db8::2/64") {
		t.Errorf("%+v", l)
	}
}

func TestTopologies(t *testing.T) {
	for _, tt := range []struct{ text, hosts, links string }{
		{"pair:", "a b", "a-b"},
		{"chain: 2", "a b router1 router2", "a-router1 router1-router2 router2-b"},
		{"star: 3", "hub host1 host2 host3", "host1-hub host2-hub host3-hub"},
		{"lan: 2", "switch host1 host2", "host1-switch host2-switch"},
		{"dumbbell: 1", "left right left1 right1", "left-right left1-left right1-right"},
	} {
		f := mustParse(t, "topology:\n  "+tt.text+"\n  link: {delay: 5ms, mtu: 1000}\n")
		var hosts, links []string
		for _, h := range f.Hosts {
			hosts = append(hosts, h.Name)
		}
		for _, l := range f.Links {
			links = append(links, l.A+"-"+l.B)
		}
		if got := strings.Join(hosts, " "); got != tt.hosts {
			t.Errorf("%s: hosts %s", tt.text, got)
		}
		if got := strings.Join(links, " "); got != tt.links {
			t.Errorf("%s: links %s", tt.text, got)
		}
		if up, _ := both(&f.Links[0]); up.Delay != 5e6 || f.Links[0].MTU != 1000 {
			t.Errorf("%s: %+v", tt.text, up)
		}
	}
}

func TestEvents(t *testing.T) {
	f := mustParse(t, `
topology: {star: 3}
links: [{name: extra, between: [host1, host2]}]
events:
  - {at: 9s, heal: all}
  - {at: 1s, cut: [hub, host3], for: 2s}
  - {at: 2s, down: extra}
  - {at: 3s, partition: [host1, host2]}
  - {at: 4s, crash: host1, for: 1s}
  - {at: 5s, set: [host2, hub], to: {loss: 5%, mtu: 1280}}
`)
	var got []string
	for _, e := range f.Events {
		got = append(got, strings.Join(append([]string{e.At.String(), string(e.Do), string(rune('0' + e.Link)), e.Undo.String()}, e.Hosts...), " "))
	}
	want := []string{"1s cut 2 2s", "2s down 3 0s", "3s partition / 0s host1 host2", "4s crash / 1s host1", "5s set 1 0s", "9s heal / 0s"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var c impair.Config
	f.Events[4].Up.Apply(&c)
	if c.Loss != 0.05 || f.Events[4].MTU != 1280 {
		t.Errorf("%+v", f.Events[4])
	}
}

func TestCommands(t *testing.T) {
	f := mustParse(t, `
hosts: [a, b]
run:
  - echo: {on: b}
  - connect: {on: a, to: b, protocol: udp, local: 99, size: 1 KiB, count: 3, interval: 0s, retry: 2}
  - ping: {on: a, to: b, ttl: 3, start: 5s}
  - perf: {on: a, to: b, bytes: 10 MB, streams: 4, congestion: reno}
  - http: {on: a, to: "b:8080", keep-alive: no}
  - ping: {name: again, on: b, to: a}
  - ping: {on: b, to: a}
`)
	want := []any{
		&Echo{Port: 7, TCP: true, UDP: true},
		&Connect{To: Target{"b", 7}, UDP: true, Local: 99, Text: "hello", Size: 1024, Count: 3, Timeout: 5 * time.Second, Retry: 2, Pause: time.Second},
		&Ping{To: Target{"b", 0}, Count: 5, Interval: time.Second, Wait: 2 * time.Second, Size: 56, TTL: 3},
		&Perf{To: Target{"b", 5201}, Server: Target{"b", 5201}, Bytes: 10e6, Streams: 4, Rate: 1e6, Size: 1200, Interval: time.Second, Congestion: "reno"},
		&HTTP{To: Target{"b", 8080}, Server: Target{"b", 8080}, Count: 1, Size: 10000, Parallel: 1, Timeout: 30 * time.Second},
	}
	for i, w := range want {
		if !reflect.DeepEqual(f.Commands[i].Spec, w) {
			t.Errorf("%+v, want %+v", f.Commands[i].Spec, w)
		}
	}
	var names []string
	for _, c := range f.Commands {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "echo connect ping perf http again ping-2" {
		t.Errorf("names %s", got)
	}
	if f.Commands[2].Start != 5*time.Second || f.Commands[0].Ends() || !f.Commands[3].Ends() || f.Endless() {
		t.Errorf("%+v", f.Commands)
	}
	if f := mustParse(t, "hosts: [a, b]\nrun: [{echo: {on: a}}, {perf: {on: a, to: b}}]\n"); !f.Endless() {
		t.Error("what has no end ends")
	}
}

func TestExpectations(t *testing.T) {
	for _, tt := range []struct {
		text      string
		good, bad []float64
	}{
		{`rtt: "< 20ms"`, []float64{0, 19e6}, []float64{20e6, 1e9, math.NaN()}},
		{`rtt: "<=20ms"`, []float64{20e6}, []float64{21e6, math.NaN()}},
		{`rtt: "> 1s"`, []float64{2e9}, []float64{1e9, math.NaN()}},
		{`rtt: ">= 1s"`, []float64{1e9}, []float64{1e9 - 1, math.NaN()}},
		{`rtt: 40 .. 50 ms`, []float64{40e6, 50e6}, []float64{39e6, 51e6, math.NaN()}},
		{`rtt: 1ms..1s`, []float64{1e6, 1e9}, []float64{2e9}},
		{`rtt: 20ms`, []float64{20e6}, []float64{20e6 + 1, math.NaN()}},
		{`loss: "= 50%"`, []float64{0.5}, []float64{0.4}},
		{`loss: "!= 0"`, []float64{0.5}, []float64{0, math.NaN()}},
		{`loss: 0.5`, []float64{0.5}, []float64{0}},
		{`received: "> 3"`, []float64{4}, []float64{3}},
	} {
		f := mustParse(t, "hosts: [a, b]\nrun: [{ping: {on: a, to: b, expect: {"+tt.text+"}}}]\n")
		e := f.Commands[0].Expect[0]
		for _, v := range tt.good {
			if !e.Holds(v) {
				t.Errorf("%s: %v does not hold", tt.text, v)
			}
		}
		for _, v := range tt.bad {
			if e.Holds(v) {
				t.Errorf("%s: %v holds", tt.text, v)
			}
		}
	}
	f := mustParse(t, "hosts: [a, b]\nrun: [{ping: {on: a, to: b, expect: {error: no answer}}}]\n")
	if e := f.Commands[0].Expect[0]; !e.Matches(io.ErrNoProgress) == e.Matches(io.ErrNoProgress) || e.Matches(nil) || e.String() != `error "no answer"` {
		t.Errorf("%v", e)
	}
}

func TestAliasesAndMerges(t *testing.T) {
	f := mustParse(t, `
x-slow: &slow {delay: 100ms, loss: 1%}
hosts: [a, b, c]
links:
  - {between: [a, b], <<: *slow}
  - {<<: [*slow, {jitter: 1ms}], between: [b, c], delay: 1ms}
  - {between: [a, c], up: *slow}
`)
	up, _ := both(&f.Links[0])
	again, _ := both(&f.Links[1])
	one, other := both(&f.Links[2])
	if up.Delay != 100e6 || up.Loss != 0.01 || again.Delay != 1e6 || again.Loss != 0.01 || again.Jitter != 1e6 || one.Delay != 100e6 || other.Delay != 0 {
		t.Errorf("%+v\n%+v\n%+v\n%+v", up, again, one, other)
	}
}
