package labfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"example.com/berth/internal/units"
)

// commands are the kinds of commands, with what reads each.
var commands = []struct {
	kind string
	read func(*parser, *Command) (spec any, fields []field, check func(n *yaml.Node))
}{
	{"ping", (*parser).ping},
	{"connect", (*parser).connect},
	{"perf", (*parser).perf},
	{"http", (*parser).http},
	{"echo", (*parser).echo},
}

// Bounds of commands.
const (
	maxCommands = 1000
	maxStreams  = 256
	maxPayload  = 65507 // of UDP
)

// command reads an entry of run: one key, the kind, with a mapping behind it.
func (p *parser) command(n *yaml.Node) {
	const hint = "a command reads - ping: {on: a, to: b}"
	if n.Kind != yaml.MappingNode {
		p.fail(n, hint, "a command is a mapping, not %s", kind(n))
		return
	}
	if len(p.file.Commands) == maxCommands {
		p.fail(n, "", "there are more than %d commands", maxCommands)
		return
	}
	var fields []field
	before, read := p.Count(), 0
	for _, c := range commands {
		fields = append(fields, field{c.kind, func(k, v *yaml.Node) {
			if read++; read > 1 {
				p.fail(k, "begin it with - on a line of its own", "%s is a second command in one entry", c.kind)
				return
			}
			cmd := Command{Pos: at(k), Kind: c.kind}
			spec, own, check := c.read(p, &cmd)
			cmd.Spec = spec
			all := append([]field{
				p.text("name", &cmd.Name),
				p.on("on", &cmd.On),
				p.duration("start", &cmd.Start),
				p.expect(c.kind, &cmd.Expect),
			}, own...)
			before := p.Count()
			p.mapping(v, c.kind, all)
			if p.Count() == before && cmd.On == "" {
				p.fail(k, "on: is the host that it runs on", "%s does not say where it runs", c.kind)
			}
			if p.Count() == before {
				check(k)
			}
			p.file.Commands = append(p.file.Commands, cmd)
			p.nameCommand(k, &p.file.Commands[len(p.file.Commands)-1])
		}})
	}
	p.mapping(n, "run", fields)
	if read == 0 && p.Count() == before {
		p.fail(n, hint, "the command is empty")
	}
}

// nameCommand gives a command without a name its kind, with a number from the
// second of them on.
func (p *parser) nameCommand(n *yaml.Node, c *Command) {
	others := p.file.Commands[:len(p.file.Commands)-1]
	taken := func(name string) bool {
		return slices.ContainsFunc(others, func(o Command) bool { return o.Name == name })
	}
	switch {
	case c.Name == "":
		for i := 1; c.Name == "" || taken(c.Name); i++ {
			c.Name = c.Kind
			if i > 1 {
				c.Name = fmt.Sprintf("%s-%d", c.Kind, i)
			}
		}
	case taken(c.Name):
		p.fail(n, "give one of them another name", "there is a command called %q already", c.Name)
	case len(c.Name) > 32 || strings.ContainsFunc(c.Name, func(r rune) bool { return r < ' ' }):
		p.fail(n, "", "%q is too long for a name, or has control characters", c.Name)
	}
}

// needsTarget finds a command without one.
func (p *parser) needsTarget(n *yaml.Node, t *Target, port uint16) {
	if t.Host == "" {
		p.fail(n, "to: is a host of the file, such as web:80", "%s does not say where to", n.Value)
	}
	if t.Port == 0 {
		t.Port = port
	}
}

// or fills in what a target leaves open.
func (t Target) or(other Target) Target {
	return Target{cmp.Or(t.Host, other.Host), cmp.Or(t.Port, other.Port)}
}

// The ports of services.
const (
	echoPort = 7
	httpPort = 80
	perfPort = 5201
)

func (p *parser) echo(*Command) (any, []field, func(*yaml.Node)) {
	s := &Echo{Port: echoPort, TCP: true, UDP: true}
	fields := []field{
		p.port("port", &s.Port),
		p.word("protocol", []string{"tcp", "udp", "both"}, func(w string) { s.TCP, s.UDP = w != "udp", w != "tcp" }),
		p.target("punch", needsPort, &s.Punch),
	}
	return s, fields, func(n *yaml.Node) {
		if s.Punch.Host != "" && !s.UDP {
			p.fail(n, "protocol: udp", "punch is for UDP")
		}
	}
}

func (p *parser) connect(*Command) (any, []field, func(*yaml.Node)) {
	s := &Connect{Text: "hello", Count: 1, Interval: time.Second, Timeout: 5 * time.Second, Pause: time.Second}
	fields := []field{
		p.target("to", mayHavePort, &s.To),
		p.udp(&s.UDP),
		p.port("local", &s.Local),
		p.text("text", &s.Text),
		p.size("size", 1, 1<<20, &s.Size),
		p.count("count", 1, 1_000_000, &s.Count),
		p.duration("interval", &s.Interval),
		value(&p.reader, "timeout", units.DurationHint, positive, func(d time.Duration) { s.Timeout = d }),
		p.count("retry", 0, 1000, &s.Retry),
		p.duration("pause", &s.Pause),
	}
	return s, fields, func(n *yaml.Node) {
		p.needsTarget(n, &s.To, echoPort)
		if s.UDP && max(s.Size, int64(len(s.Text))) > maxPayload {
			p.fail(n, "", "a datagram has at most %d bytes", maxPayload)
		}
		if s.Size == 0 && s.Text == "" {
			p.fail(n, "text: hello, or size: 100", "the message is empty")
		}
	}
}

func (p *parser) ping(*Command) (any, []field, func(*yaml.Node)) {
	s := &Ping{Count: 5, Interval: time.Second, Wait: 2 * time.Second, Size: 56}
	fields := []field{
		p.target("to", noPort, &s.To),
		p.truth("ipv6", func(on bool) { s.IPv6 = on }),
		p.count("count", 1, 65535, &s.Count),
		value(&p.reader, "interval", units.DurationHint, atLeast(time.Millisecond), func(d time.Duration) { s.Interval = d }),
		p.duration("wait", &s.Wait),
		p.count("size", 0, maxPayload, &s.Size),
		p.count("ttl", 1, 255, &s.TTL),
	}
	return s, fields, func(n *yaml.Node) { p.needsTarget(n, &s.To, 0) }
}

func (p *parser) perf(*Command) (any, []field, func(*yaml.Node)) {
	s := &Perf{Streams: 1, Rate: 1e6, Size: 1200, Interval: time.Second}
	var udpOnly []*yaml.Node
	udp := func(f field) field {
		return field{f.name, func(k, v *yaml.Node) {
			udpOnly = append(udpOnly, k)
			f.read(k, v)
		}}
	}
	fields := []field{
		p.target("to", mayHavePort, &s.To),
		p.target("server", mayHavePort, &s.Server),
		p.udp(&s.UDP),
		value(&p.reader, "time", units.DurationHint, positive, func(d time.Duration) { s.Time = d }),
		p.size("bytes", 1, 1<<36, &s.Bytes),
		p.count("streams", 1, maxStreams, &s.Streams),
		udp(value(&p.reader, "rate", units.RateHint, atLeastRate(1000), func(n int64) { s.Rate = n })),
		udp(p.count("size", 16, maxPayload, &s.Size)),
		p.truth("reverse", func(on bool) { s.Reverse = on }),
		value(&p.reader, "interval", units.DurationHint, atLeast(10*time.Millisecond), func(d time.Duration) { s.Interval = d }),
		p.congestion(&s.Congestion),
	}
	return s, fields, func(n *yaml.Node) {
		p.needsTarget(n, &s.To, perfPort)
		s.Server = s.Server.or(s.To)
		for _, k := range udpOnly {
			if !s.UDP {
				p.fail(k, "protocol: udp", "%s is for UDP: TCP finds its own", k.Value)
			}
		}
		switch {
		case s.Time > 0 && s.Bytes > 0:
			p.fail(n, "choose one", "time and bytes are both given")
		case s.UDP && s.Reverse:
			p.fail(n, "change on and to", "reverse is for TCP")
		case s.UDP && s.Congestion != "":
			p.fail(n, "", "congestion is for TCP")
		}
	}
}

func (p *parser) http(*Command) (any, []field, func(*yaml.Node)) {
	s := &HTTP{Count: 1, Size: 10_000, Parallel: 1, KeepAlive: true, Timeout: 30 * time.Second}
	fields := []field{
		p.target("to", mayHavePort, &s.To),
		p.target("server", mayHavePort, &s.Server),
		p.count("count", 1, 100_000, &s.Count),
		p.size("size", 0, 1<<32, &s.Size),
		p.count("parallel", 1, maxStreams, &s.Parallel),
		p.duration("interval", &s.Interval),
		value(&p.reader, "timeout", units.DurationHint, positive, func(d time.Duration) { s.Timeout = d }),
		p.truth("keep-alive", func(on bool) { s.KeepAlive = on }),
	}
	return s, fields, func(n *yaml.Node) {
		p.needsTarget(n, &s.To, httpPort)
		s.Server = s.Server.or(s.To)
	}
}

// algorithms are those of congestion control.
var algorithms = []string{"cubic", "reno", "dctcp"}

func (p *parser) congestion(to *string) field {
	return p.word("congestion", algorithms, func(w string) { *to = w })
}

func (p *parser) udp(to *bool) field {
	return p.word("protocol", []string{"tcp", "udp"}, func(w string) { *to = w == "udp" })
}

func (p *parser) port(name string, to *uint16) field {
	return value(&p.reader, name, "a port is a number from 1 to 65535", bounded(units.ParseCount, 1, 65535, ""),
		func(n int64) { *to = uint16(n) })
}

func atLeast(least time.Duration) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		d, err := units.ParseDuration(s)
		if err == nil && d < least {
			err = fmt.Errorf("%q is less than %v", s, least)
		}
		return d, err
	}
}

func atLeastRate(least int64) func(string) (int64, error) {
	return func(s string) (int64, error) {
		n, err := units.ParseRate(s)
		if err == nil && n < least {
			err = fmt.Errorf("%q is less than %d bit/s", s, least)
		}
		return n, err
	}
}
