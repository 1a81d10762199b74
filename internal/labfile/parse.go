package labfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"example.com/berth/internal/mistake"
	"example.com/berth/internal/units"
)

// MaxBytes is the longest file.
const MaxBytes = 1 << 20

// Open opens a file that another names: a trace.
type Open func(path string) (io.ReadCloser, error)

// Parse reads a file. Path is for messages. The error is of type [Errors].
func Parse(path string, text []byte, open Open) (*File, error) {
	p := &parser{
		reader: reader{Gatherer: mistake.In(path, text)},
		open:   open,
		nodes:  make(map[string]int),
		named:  make(map[string]int),
	}
	p.file = &File{Path: path, Seed: 1, text: text}
	if root := p.document(text); root != nil {
		p.root(root)
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	return p.file, nil
}

// A parser is a reader of one file.
type parser struct {
	reader
	open  Open
	file  *File
	nodes map[string]int // of File.Hosts, by name
	named map[string]int // of File.Links, by name

	deferred []func() // what is to be read when all hosts are known
	given    []given  // addresses
}

// document reads the YAML, and returns the root of what it says.
func (p *parser) document(text []byte) *yaml.Node {
	const hint = "'berth lab --help' shows one"
	switch {
	case len(text) > MaxBytes:
		p.failAt(Pos{Line: 1, Col: 1}, 1, "", "the file has %d bytes; it may have %d", len(text), MaxBytes)
		return nil
	case !utf8.Valid(text):
		p.failAt(p.firstInvalid(), 1, "the file is to be text in UTF-8", "there is a byte that is not UTF-8")
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		p.failAt(Pos{Line: 1, Col: 1}, 1, "", "%v", err)
		return nil
	}
	var doc, second yaml.Node
	err = loader.Load(&doc)
	switch {
	case errors.Is(err, io.EOF) || err == nil && (len(doc.Content) == 0 || empty(doc.Content[0])):
		p.failAt(Pos{Line: 1, Col: 1}, 1, hint, "the file is empty: it has no hosts")
		return nil
	case err != nil:
		p.syntax(err)
		return nil
	}
	if err = loader.Load(&second); err == nil {
		p.failAt(Pos{Line: max(second.Line, 1), Col: max(second.Column, 1)}, 1, "a file describes one network", "a second document begins here")
		return nil
	} else if !errors.Is(err, io.EOF) {
		p.syntax(err)
		return nil
	}
	return doc.Content[0]
}

// syntax enters what the YAML library says.
func (p *parser) syntax(err error) {
	at, text := Pos{Line: 1, Col: 1}, strings.TrimPrefix(err.Error(), "yaml: ")
	var load *yaml.LoadError
	if errors.As(err, &load) {
		text = load.Message
		if load.Mark.Line > 0 {
			at = Pos{Line: load.Mark.Line, Col: max(load.Mark.Column, 1)}
		}
	}
	// What ends too early ends behind the last line.
	for last := len(p.Lines); at.Line > 1 && (at.Line > last || p.Lines[at.Line-1] == "" && at.Line == last); {
		at.Line--
		at.Col = utf8.RuneCountInString(p.Lines[at.Line-1]) + 1
	}
	hint := ""
	for i, line := range p.Lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if tab := strings.IndexByte(indent, '\t'); tab >= 0 && i < at.Line {
			at, text = Pos{Line: i + 1, Col: tab + 1}, "a tab indents this line"
			hint = "YAML is indented with spaces: replace the tab"
			break
		}
	}
	switch {
	case strings.Contains(text, "mapping values are not allowed"):
		hint = "a text with a colon and a space in it stands in quotes"
	case strings.Contains(text, "cannot start any token"):
		hint = "a text that begins with @, `, % or the like stands in quotes"
	}
	p.failAt(at, 1, hint, "this is not YAML: %s", text)
}

func (p *parser) firstInvalid() Pos {
	for i, line := range p.Lines {
		if !utf8.ValidString(line) {
			col := strings.IndexRune(line, utf8.RuneError)
			for j, r := range line {
				if _, size := utf8.DecodeRuneInString(line[j:]); r == utf8.RuneError && size == 1 {
					col = utf8.RuneCountInString(line[:j])
					break
				}
			}
			return Pos{Line: i + 1, Col: col + 1}
		}
	}
	return Pos{Line: 1, Col: 1}
}

// root reads the whole. Hosts come first, then links, and then what speaks of
// them, wherever they stand in the file.
func (p *parser) root(n *yaml.Node) {
	var topology, hosts, links, events, run *yaml.Node
	later := func(name string, to **yaml.Node) field {
		return field{name, func(_, v *yaml.Node) { *to = v }}
	}
	fields := []field{
		p.text("name", &p.file.Name),
		value(&p.reader, "seed", units.CountHint, units.ParseCount, func(n int64) { p.file.Seed = uint64(n) }),
		p.word("time", []string{"wall", "fake"}, func(s string) { p.file.Fake = s == "fake" }),
		value(&p.reader, "for", units.DurationHint, positive, func(d time.Duration) { p.file.For = d }),
		later("topology", &topology),
		later("hosts", &hosts),
		later("links", &links),
		later("events", &events),
		later("run", &run),
	}
	for _, one := range p.pairs(n, "the file") {
		if !strings.HasPrefix(one.key.Value, "x-") {
			p.field(one, "the file", fields)
		}
	}
	if topology != nil {
		p.topology(topology)
	}
	if hosts != nil {
		p.hosts(hosts)
	}
	if len(p.file.Hosts) == 0 && p.Count() == 0 {
		p.fail(n, "hosts: [client, server] makes two", "the file has no hosts")
		return
	}
	if links != nil {
		p.list(links, p.link)
	}
	for _, f := range p.deferred {
		f()
	}
	p.addresses()
	if events != nil {
		p.events(events)
	}
	if run != nil {
		p.list(run, p.command)
	}
	slices.SortStableFunc(p.file.Events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
}

// Endless tells whether nothing ends the run: no command that ends by itself, and
// no bound.
func (f *File) Endless() bool {
	return f.For == 0 && !slices.ContainsFunc(f.Commands, func(c Command) bool { return c.Ends() })
}

// Ends tells whether a command ends by itself.
func (c *Command) Ends() bool {
	switch s := c.Spec.(type) {
	case *Echo:
		return false
	case *Perf:
		return s.Time > 0 || s.Bytes > 0
	}
	return true
}

func positive(s string) (time.Duration, error) {
	d, err := units.ParseDuration(s)
	if err == nil && d == 0 {
		err = fmt.Errorf("%q is no time at all", s)
	}
	return d, err
}
