package labfile

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"example.com/berth/internal/units"
)

// actions are what an event can do.
var actions = []Action{Cut, Down, Heal, Set, Partition, Crash, Shutdown, Restart}

// undone are those that for: takes back.
var undone = map[Action]bool{Cut: true, Down: true, Partition: true, Crash: true, Shutdown: true}

// maxEvents is how many events a file may have.
const maxEvents = 10_000

// events reads what happens while the network runs.
func (p *parser) events(n *yaml.Node) {
	p.list(n, func(v *yaml.Node) {
		if len(p.file.Events) == maxEvents {
			p.fail(v, "", "there are more than %d events", maxEvents)
			return
		}
		p.event(v)
	})
}

func (p *parser) event(n *yaml.Node) {
	const hint = "an event reads {at: 5s, cut: [a, b]}"
	e := Event{Pos: at(n), Link: -1}
	if n.Kind != yaml.MappingNode {
		p.fail(n, hint, "an event is a mapping, not %s", kind(n))
		return
	}
	var when, undo, to, target *yaml.Node
	var names []string
	fields := []field{
		{"at", func(k, v *yaml.Node) {
			when = k
			p.duration("at", &e.At).read(k, v)
		}},
		{"for", func(k, v *yaml.Node) {
			undo = k
			value(&p.reader, "for", units.DurationHint, positive, func(d time.Duration) { e.Undo = d }).read(k, v)
		}},
		{"to", func(k, v *yaml.Node) {
			to = k
			c := conditions{parser: p, mtu: &e.MTU, up: &e.Up, down: &e.Down}
			p.mapping(v, "what a link is set to", c.fields())
			c.finish()
		}},
	}
	for _, a := range actions {
		names = append(names, string(a))
		fields = append(fields, field{string(a), func(k, v *yaml.Node) {
			if e.Do != "" {
				p.fail(k, "make it an event of its own", "the event does %s already", e.Do)
				return
			}
			e.Do, target = a, v
		}})
	}
	before := p.Count()
	p.mapping(n, "an event", fields)
	switch {
	case p.Count() > before:
		return
	case e.Do == "":
		p.fail(n, "there are "+strings.Join(names, ", "), "the event does nothing")
	case when == nil:
		p.fail(n, hint, "the event does not say when it happens")
	case undo != nil && !undone[e.Do]:
		p.fail(undo, "make the end an event of its own", "%s does not end by itself", e.Do)
	case to != nil && e.Do != Set:
		p.fail(to, "set: [a, b] changes a link", "to belongs to set, not to %s", e.Do)
	case to == nil && e.Do == Set:
		p.fail(target, "set: [a, b] with to: {loss: 10%}", "set does not say what the link is set to")
	case p.eventTarget(&e, target):
		p.file.Events = append(p.file.Events, e)
	}
}

// eventTarget reads what an event is about.
func (p *parser) eventTarget(e *Event, v *yaml.Node) (ok bool) {
	switch e.Do {
	case Heal:
		if v.Kind == yaml.ScalarNode && v.Value == "all" {
			return true
		}
		fallthrough
	case Cut, Down, Set:
		e.Link, ok = p.linkRef(v)
		return ok
	case Partition:
		ok = true
		p.list(v, func(v *yaml.Node) {
			name, known := p.node(v)
			e.Hosts, ok = append(e.Hosts, name), ok && known
		})
		if ok && len(e.Hosts) == 0 {
			p.fail(v, "partition: [a, b] parts a and b from all others", "the partition has no hosts")
			return false
		}
		return ok
	default:
		name, known := p.stack(v)
		e.Hosts = []string{name}
		return known
	}
}
