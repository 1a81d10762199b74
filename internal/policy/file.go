package policy

import (
	"bytes"
	_ "embed"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"example.com/berth/internal/mistake"
	"go.yaml.in/yaml/v4"
)

// FileErrors are the mistakes in a policy file, in its order. There is at least one.
type FileErrors = mistake.InFiles

// Bounds on a file.
const (
	maxFile  = 1 << 20 // bytes
	maxRules = 10000
	maxLines = 256
)

// A File is what a policy file says.
type File struct {
	Rules []*Rule
	Lines []*Line // the first that leads to a destination is the line there
}

// Schema is the JSON schema of policy files, for editors.
//
//go:embed schema.json
var Schema string

// ParseFile reads a policy file:
//
//	rules:
//	  - allow: "*.example.com:443"
//	  - allow: [registry.example.org:443, "tcp/[2001:db8::/32]:22"]
//	  - deny: 10.0.0.0/8
//	lines:
//	  - {to: "*.example.com", delay: 50ms, loss: 1%}
//
// It has rules, or lines, or both. Path is for messages, and files that are named in
// it are looked for where it is. Keys of the file that begin with x- are for anchors.
// The error is of type FileErrors and has every mistake.
func ParseFile(path string, text []byte) (*File, error) {
	p := fileParser{Gatherer: mistake.In(path, text)}
	if root := p.document(text); root != nil {
		p.root(root)
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &p.file, nil
}

// A fileParser gathers the rules of a file, and its mistakes.
type fileParser struct {
	*mistake.Gatherer
	file File
}

func (p *fileParser) fail(line, col, width int, hint, format string, args ...any) {
	p.Add(mistake.Pos{Line: line, Col: col}, width, hint, format, args...)
}

func (p *fileParser) failAt(n *yaml.Node, hint, format string, args ...any) {
	width := 1
	if n.Kind == yaml.ScalarNode {
		width = utf8.RuneCountInString(n.Value) + 2*quotes(n)
	}
	p.fail(n.Line, n.Column, width, hint, format, args...)
}

// quotes is 1 if a scalar stands in quotes.
func quotes(n *yaml.Node) int {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return 1
	}
	return 0
}

// document reads the YAML, and returns the root of what it says.
func (p *fileParser) document(text []byte) *yaml.Node {
	if len(text) > maxFile {
		p.fail(1, 1, 1, "", "the file has %d bytes; it may have %d", len(text), maxFile)
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		p.fail(1, 1, 1, "", "%v", err)
		return nil
	}
	var doc, second yaml.Node
	if err = loader.Load(&doc); err != nil && !errors.Is(err, io.EOF) {
		p.syntax(err)
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		p.fail(1, 1, 1, `a file has "rules:"`, "the file is empty")
		return nil
	}
	if err = loader.Load(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			p.syntax(err)
		} else {
			p.fail(second.Line, second.Column, 1, "a file is one policy", "a second document begins here")
		}
		return nil
	}
	return doc.Content[0]
}

// syntax enters what the YAML library says.
func (p *fileParser) syntax(err error) {
	line, col, text := 1, 1, strings.TrimPrefix(err.Error(), "yaml: ")
	var load *yaml.LoadError
	if errors.As(err, &load) {
		text, line, col = load.Message, load.Mark.Line, load.Mark.Column
	}
	hint := ""
	if i := strings.IndexByte(p.Lines[min(max(line, 1), len(p.Lines))-1], '*'); i >= 0 || strings.Contains(text, "anchor") || strings.Contains(text, "alias") {
		hint = `a rule that begins with * stands in quotes: "*.example.com"`
	}
	p.fail(line, col, 1, hint, "this is not YAML: %s", text)
}

func (p *fileParser) root(n *yaml.Node) {
	seen := p.pairs(n, "the file", func(key, value *yaml.Node) {
		switch {
		case key.Value == "rules":
			p.list(value)
		case key.Value == "lines":
			p.lines(value)
		case !strings.HasPrefix(key.Value, "x-"):
			p.failAt(key, `a file has "rules:" and "lines:"`, "unknown key %q in the file", key.Value)
		}
	})
	if seen != nil && !seen["rules"] && !seen["lines"] && p.Count() == 0 {
		p.failAt(n, `a file has "rules:"`, "the file has no rules")
	}
}

// pairs goes through a mapping, and returns its keys; nil if it is none.
func (p *fileParser) pairs(n *yaml.Node, what string, each func(key, value *yaml.Node)) map[string]bool {
	if n.Kind != yaml.MappingNode {
		p.failAt(n, "", "%s is a mapping, with a key and its value", what)
		return nil
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], aliased(n.Content[i+1])
		if key.Kind != yaml.ScalarNode {
			p.failAt(key, "", "a key of %s is a word", what)
			continue
		}
		if seen[key.Value] {
			p.failAt(key, "remove one of them", "the key %q is there twice", key.Value)
			continue
		}
		seen[key.Value] = true
		each(key, value)
	}
	return seen
}

func aliased(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// list reads the rules.
func (p *fileParser) list(n *yaml.Node) {
	const hint = `a rule is "- allow: example.com:443"`
	switch {
	case n.Tag == "!!null":
		return
	case n.Kind != yaml.SequenceNode:
		p.failAt(n, hint, "the rules are a list")
		return
	}
	for _, one := range n.Content {
		one = aliased(one)
		seen := p.pairs(one, "a rule", func(key, value *yaml.Node) {
			if key.Value != "allow" && key.Value != "deny" {
				p.failAt(key, "it is allow or deny", "unknown key %q in a rule", key.Value)
				return
			}
			p.texts(key.Value == "allow", value)
		})
		if seen["allow"] && seen["deny"] {
			p.failAt(one, "make two of it, in the order that they are to be asked", "the rule allows and denies")
		}
		if seen != nil && len(seen) == 0 {
			p.failAt(one, hint, "the rule is empty")
		}
	}
}

// texts reads one rule, or a list of them.
func (p *fileParser) texts(allow bool, n *yaml.Node) {
	switch {
	case p.Full():
		return // aliases can make many of few
	case n.Kind == yaml.SequenceNode:
		for _, one := range n.Content {
			if one = aliased(one); one.Kind == yaml.SequenceNode {
				p.failAt(one, "", "a rule is text")
				continue
			}
			p.texts(allow, one)
		}
		return
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		p.failAt(n, "", "a rule is text")
		return
	case len(p.file.Rules) == maxRules:
		p.failAt(n, "", "the file has more than %d rules", maxRules)
		return
	}
	if r := p.rule(allow, n); r != nil {
		p.file.Rules = append(p.file.Rules, r)
	}
}

// rule reads one, or nil with a mistake.
func (p *fileParser) rule(allow bool, n *yaml.Node) *Rule {
	r, err := ParseRule(allow, n.Value)
	if err != nil {
		e := err.(*RuleError)
		p.fail(n.Line, n.Column+quotes(n)+e.Column()-1, e.Characters(), e.Hint, "%s", e.Problem)
		return nil
	}
	return r
}
