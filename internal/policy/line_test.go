package policy

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func linesOf(t *testing.T, texts ...string) (all []*Line) {
	t.Helper()
	for _, text := range texts {
		l, err := ParseLine(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// The first line that leads to a destination is its line.
func TestLine(t *testing.T) {
	p := New(Config{Hosts: nil})
	at := func(flow, name string) {
		f, _ := flowOf(t, flow)
		p.pins.add(epoch, f.Dst.Addr(), name, epoch.Add(time.Minute))
	}
	at("tcp 203.0.113.5:1", "api.example.com")
	at("tcp 203.0.113.5:1", "cdn.example.net")
	at("tcp [2001:db8::5]:1", "api.example.com")
	lines := linesOf(t,
		"udp/api.example.com:443: delay=1ms",
		"*.example.com: delay=2ms",
		"10.0.0.0/8:22,80: delay=3ms",
		"icmp: delay=4ms",
		":53: delay=5ms",
		"cdn.example.net: delay=6ms",
	)
	for flow, want := range map[string]int{
		"udp 203.0.113.5:443":        0,
		"tcp 203.0.113.5:443":        1,
		"tcp [2001:db8::5]:80":       1,
		"tcp [::ffff:203.0.113.5]:1": 1,
		"icmp 203.0.113.5":           1,
		"tcp 10.1.2.3:22":            2,
		"tcp 10.1.2.3:23":            -1,
		"icmp 10.1.2.3":              3,
		"udp 192.0.0.1:53":           4,
		"tcp 203.0.113.6:443":        -1,
		"tcp 127.0.0.1:80":           -1,
	} {
		f, _ := flowOf(t, flow)
		if got := p.Line(epoch, f, lines); got != want {
			t.Errorf("%s goes by line %d, want %d", flow, got, want)
		}
	}
	// A name is forgotten with the answer of the resolver.
	f, _ := flowOf(t, "tcp 203.0.113.5:443")
	if got := p.Line(epoch.Add(time.Hour), f, lines); got != -1 {
		t.Errorf("an hour later it goes by line %d", got)
	}
}

func TestLinesWithMistakes(t *testing.T) {
	for _, tt := range []struct{ text, place, problem string }{
		{"", "^", "there are no settings"},
		{"a.example", "         ^", "there are no settings"},
		{"a.example delay=1ms", "         ^", "there is no colon"},
		{": delay=1ms", "^", "the rule is empty"},
		{"a.example: ", "           ^", "unknown setting"},
		{"a.example: delay", "           ^^^^^", "delay has no value"},
		{"a.example: dely=1ms", "           ^^^^", `unknown setting "dely"`},
		{"a.example: delay=1ms, loss=x", "                           ^", `loss: "x" is not a share`},
		{"a.example: delay=1ms,delay=2ms", "                     ^^^^^", "delay is there twice"},
		{"tcp/a.example:99999: delay=1ms", "              ^^^^^", "this is not a port"},
		{"a..example: delay=1ms", " ^", "nothing between two dots"},
		{"a.example: delay=1ms, queue=9KiB", "                      ^^^^^", "queue: nothing limits the line"},
		{"a.example: profile=4711G", "                   ^^^^^", "there is no"},
	} {
		_, err := ParseLine(tt.text)
		e, ok := errors.AsType[*RuleError](err)
		if !ok {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got := strings.Repeat(" ", e.Column()-1) + strings.Repeat("^", e.Characters()); got != tt.place || !strings.Contains(e.Problem, tt.problem) {
			t.Errorf("%s\n%s %s, want\n%s %s", tt.text, got, e.Problem, tt.place, tt.problem)
		}
	}
}

func TestFilesWithLines(t *testing.T) {
	file, err := ParseFile("p.yaml", []byte("lines:\n  - to: a.example\n    delay: 50ms\n    loss: 0.5\n  - {to: [\"*.b\", \"udp/10.0.0.0/8:53\"], profile: 3G, rate: 1 Mbit/s}\n"))
	if err != nil || len(file.Rules) != 0 || len(file.Lines) != 2 {
		t.Fatalf("%+v, %v", file, err)
	}
	if down, up := file.Lines[0].Configs(0); down.Delay != 50*time.Millisecond || up.Loss != 0.5 {
		t.Errorf("%+v, %+v", down, up)
	}
	if down, _ := file.Lines[1].Configs(0); down.Rate != 1e6 || down.Delay == 0 || len(file.Lines[1].to) != 2 {
		t.Errorf("%+v", down)
	}
	for in, want := range map[string]string{
		"lines: a\n":                                                            "1:8: the lines are a list",
		"lines: [a]\n":                                                          "1:9: a line is a mapping",
		"lines: [{delay: 1ms}]\n":                                               "1:9: the line leads nowhere",
		"lines: [{to: a}]\n":                                                    "1:9: nothing is said about the line",
		"lines:\n- to: a\n  dely: 1ms\n":                                        `3:3: unknown key "dely" in a line`,
		"lines:\n- to: a\n  delay: 1\n":                                         `3:10: delay: "1" has no unit`,
		"lines:\n- to: a\n  delay: [1ms]\n":                                     "3:10: delay has no value",
		"lines:\n- to: {a: b}\n  delay: 1ms\n":                                  "2:7: a destination is text",
		"lines:\n- to: \"a:99999\"\n  delay: 1ms\n":                             `2:10: this is not a port: "99999"`,
		"lines:\n- to: a\n  delay: 1ms\n  delay: 2ms\n":                         `4:3: the key "delay" is there twice`,
		"lines:\n- to: a\n  queue: 9 KiB\n":                                     "3:3: queue: nothing limits the line",
		"lines:\n- to: a\n  rate: 1\n  queue: 9 KiB\n":                          `3:9: rate: "1" `,
		"lines: [" + strings.Repeat("{to: a, delay: 1ms},", maxLines+1) + "]\n": "the file has more than 256 lines",
	} {
		if _, err := ParseFile("p.yaml", []byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", in, err, want)
		}
	}
}
