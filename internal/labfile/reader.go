package labfile

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"example.com/berth/internal/mistake"
	"example.com/berth/internal/units"
)

// A reader turns the nodes of a document into values, and gathers mistakes. What
// follows a mistake is read on as if the value were zero, so that all mistakes of
// a file are found at once.
type reader struct {
	*mistake.Gatherer
	nodes int // that were looked at: aliases can make many of few
}

// maxNodes bounds what a file may make the reader do.
const maxNodes = 1_000_000

// fail enters a mistake at a node.
func (r *reader) fail(n *yaml.Node, hint, format string, args ...any) {
	width := 1
	if n.Kind == yaml.ScalarNode {
		width = utf8.RuneCountInString(n.Value)
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			width += 2
		}
	}
	r.failAt(Pos{Line: n.Line, Col: n.Column}, width, hint, format, args...)
}

func (r *reader) failAt(at Pos, width int, hint, format string, args ...any) {
	r.Add(at, width, hint, format, args...)
}

func at(n *yaml.Node) Pos { return Pos{Line: n.Line, Col: n.Column} }

// resolve follows aliases, and counts.
func (r *reader) resolve(n *yaml.Node) *yaml.Node {
	if r.nodes++; r.nodes == maxNodes {
		r.fail(n, "write out less with aliases", "the file says more than %d things", maxNodes)
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// kind is what a node is, in words.
func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case empty(n):
		return "nothing"
	}
	return fmt.Sprintf("%q", n.Value)
}

// empty tells whether a key has no value behind it.
func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// A pair is a key and its value.
type pair struct{ key, value *yaml.Node }

// pairs are those of a mapping, and of those merged into it.
func (r *reader) pairs(n *yaml.Node, what string) []pair {
	return r.merged(nil, make(map[string]bool), n, what, 0)
}

func (r *reader) merged(all []pair, seen map[string]bool, n *yaml.Node, what string, depth int) []pair {
	const deepest = 8
	n = r.resolve(n)
	switch {
	case empty(n) || r.nodes >= maxNodes:
		return all
	case n.Kind != yaml.MappingNode:
		r.fail(n, "", "%s is a mapping, with a key and its value on each line, not %s", what, kind(n))
		return all
	case depth > deepest:
		r.fail(n, "", "mappings are merged into each other more than %d deep", deepest)
		return all
	}
	var merges []*yaml.Node
	own := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		k = r.resolve(k)
		switch {
		case k.Kind != yaml.ScalarNode:
			r.fail(k, "", "a key of %s is a word, not %s", what, kind(k))
		case k.Value == "<<":
			merges = append(merges, v)
		case own[k.Value]:
			r.fail(k, "remove one of them", "the key %q is there twice", k.Value)
		default:
			own[k.Value] = true
			if !seen[k.Value] {
				seen[k.Value] = true
				all = append(all, pair{k, v})
			}
		}
	}
	for _, m := range merges {
		m = r.resolve(m)
		if m.Kind == yaml.SequenceNode {
			for _, one := range m.Content {
				all = r.merged(all, seen, one, what, depth+1)
			}
			continue
		}
		all = r.merged(all, seen, m, what, depth+1)
	}
	return all
}

// A field is a key that a mapping may have, and what reads its value.
type field struct {
	name string
	read func(key, value *yaml.Node)
}

// mapping reads a mapping with certain keys.
func (r *reader) mapping(n *yaml.Node, what string, fields []field) {
	for _, p := range r.pairs(n, what) {
		r.field(p, what, fields)
	}
}

func (r *reader) field(p pair, what string, fields []field) {
	for _, f := range fields {
		if f.name == p.key.Value {
			f.read(p.key, r.resolve(p.value))
			return
		}
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	r.fail(p.key, meant(p.key.Value, names), "unknown key %q in %s", p.key.Value, what)
}

// list reads a list; a value alone is a list of one.
func (r *reader) list(n *yaml.Node, each func(v *yaml.Node)) {
	n = r.resolve(n)
	switch {
	case empty(n):
	case n.Kind == yaml.SequenceNode:
		for _, v := range n.Content {
			if v = r.resolve(v); r.nodes < maxNodes {
				each(v)
			}
		}
	default:
		each(n)
	}
}

// scalar reads a value that is neither a mapping nor a list.
func (r *reader) scalar(v *yaml.Node, hint string) (string, bool) {
	if v.Kind != yaml.ScalarNode || empty(v) {
		r.fail(v, hint, "there is %s where a value should be", kind(v))
		return "", false
	}
	return v.Value, true
}

// text is a field that is any text.
func (r *reader) text(name string, to *string) field {
	return field{name, func(_, v *yaml.Node) { *to, _ = r.scalar(v, "") }}
}

// value is a field with a grammar.
func value[T any](r *reader, name, hint string, parse func(string) (T, error), to func(T)) field {
	return field{name, func(_, v *yaml.Node) {
		s, ok := r.scalar(v, hint)
		if !ok {
			return
		}
		got, err := parse(s)
		if err != nil {
			r.fail(v, hint, "%s: %v", name, err)
			return
		}
		to(got)
	}}
}

func (r *reader) duration(name string, to *time.Duration) field {
	return value(r, name, units.DurationHint, units.ParseDuration, func(d time.Duration) { *to = d })
}

// size is one of a size from least to most.
func (r *reader) size(name string, least, most int64, to *int64) field {
	return value(r, name, units.SizeHint, bounded(units.ParseSize, least, most, " bytes"), func(n int64) { *to = n })
}

// count is one of a whole number from least to most.
func (r *reader) count(name string, least, most int, to *int) field {
	return value(r, name, units.CountHint, bounded(units.ParseCount, int64(least), int64(most), ""), func(n int64) { *to = int(n) })
}

func bounded(parse func(string) (int64, error), least, most int64, what string) func(string) (int64, error) {
	return func(s string) (int64, error) {
		n, err := parse(s)
		if err == nil && (n < least || n > most) {
			err = fmt.Errorf("%q is out of range: want %d to %d%s", s, least, most, what)
		}
		return n, err
	}
}

func (r *reader) truth(name string, to func(bool)) field {
	const hint = "it is true or false"
	return value(r, name, hint, func(s string) (bool, error) {
		switch strings.ToLower(s) {
		case "true", "yes", "on":
			return true, nil
		case "false", "no", "off":
			return false, nil
		}
		return false, fmt.Errorf("%q is neither true nor false", s)
	}, to)
}

// word is one of some words.
func (r *reader) word(name string, words []string, to func(string)) field {
	return field{name, func(_, v *yaml.Node) {
		s, ok := r.scalar(v, meant("", words))
		if !ok {
			return
		}
		for _, w := range words {
			if strings.EqualFold(w, s) {
				to(w)
				return
			}
		}
		r.fail(v, meant(s, words), "%s cannot be %q", name, s)
	}}
}
