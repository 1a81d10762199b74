package policy

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"example.com/berth/internal/badline"
	"go.yaml.in/yaml/v4"
)

// lines reads the lines that lead to some destinations.
func (p *fileParser) lines(n *yaml.Node) {
	const hint = `a line is "- {to: api.example.com, delay: 50ms}"`
	switch {
	case n.Tag == "!!null":
		return
	case n.Kind != yaml.SequenceNode:
		p.failAt(n, hint, "the lines are a list")
		return
	case len(n.Content) > maxLines:
		p.failAt(n.Content[maxLines], "", "the file has more than %d lines", maxLines)
		return
	}
	for _, one := range n.Content {
		one = aliased(one)
		l := &Line{}
		keys, mistakes := make(map[string]*yaml.Node), p.Count()
		seen := p.pairs(one, "a line", func(key, value *yaml.Node) {
			switch {
			case key.Value == "to":
				p.destinations(l, value)
			case slices.Contains(badline.Keys(), key.Value):
				keys[key.Value] = key
				p.setting(l, key.Value, value)
			default:
				p.failAt(key, "there are to, "+strings.Join(badline.Keys(), ", "), "unknown key %q in a line", key.Value)
			}
		})
		switch {
		case seen == nil:
		case !seen["to"]:
			p.failAt(one, hint, "the line leads nowhere")
		case len(seen) == 1:
			p.failAt(one, "profile: perfect is a line without faults", "nothing is said about the line")
		case p.Count() == mistakes:
			p.idle(l, keys)
		}
		p.file.Lines = append(p.file.Lines, l)
	}
}

// destinations reads where a line leads: one, or a list.
func (p *fileParser) destinations(l *Line, n *yaml.Node) {
	all := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		all = n.Content
	}
	for _, one := range all {
		one = aliased(one)
		switch {
		case p.Full():
			return // aliases can make many of few
		case one.Kind != yaml.ScalarNode || one.Tag == "!!null":
			p.failAt(one, "", "a destination is text")
		case len(l.to) == maxRules:
			p.failAt(one, "", "the line has more than %d destinations", maxRules)
			return
		default:
			if r := p.rule(false, one); r != nil {
				l.to = append(l.to, r)
			}
		}
	}
}

// idle finds a setting of a line that says nothing beside the others.
func (p *fileParser) idle(l *Line, keys map[string]*yaml.Node) {
	key, err := l.Check()
	if e, ok := errors.AsType[*badline.ValueError](err); ok {
		p.failAt(keys[key], e.Hint, "%s", e.Problem)
	}
}

func (p *fileParser) setting(l *Line, key string, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.failAt(n, "", "%s has no value", key)
		return
	}
	if e, ok := errors.AsType[*badline.ValueError](l.Set(key, n.Value, filepath.Dir(p.File))); ok {
		p.failAt(n, e.Hint, "%s", e.Problem)
	}
}
