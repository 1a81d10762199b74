package script

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxScript is the most bytes that a script may have.
const maxScript = 4 << 20

// Parse reads a script. Name is that of its file. Defines are the symbols of
// -D and --define: a value stands for the symbol wherever that is used, and
// with an empty one the symbol is there for #ifdef only. The error is an *Error.
func Parse(name string, src []byte, defines map[string]string) (*Script, error) {
	if len(src) > maxScript {
		return nil, errorf(Pos{name, 1, 1}, "a script of more than %d bytes", maxScript)
	}
	all, err := optionDefines(name, string(src), defines)
	if err != nil {
		return nil, err
	}
	l := lexer{src: string(src), file: name, defines: all}
	tokens, err := l.all()
	if err != nil {
		return nil, err
	}
	p := parser{src: l.src, tokens: tokens}
	s := &Script{Name: name, Skipped: l.skipped}
	if s.options, err = p.options(); err != nil {
		return nil, err
	}
	if s.events, err = p.events(); err != nil {
		return nil, err
	}
	return s, nil
}

// optionDefines adds what the script itself defines with --define=NAME=VALUE,
// which has an effect on how the rest is read.
func optionDefines(name, src string, given map[string]string) (map[string]string, error) {
	l := lexer{src: src, file: name, defines: map[string]string{}, line: 1}
	all := map[string]string{}
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if t.kind == endOfFile {
			break
		}
		if t.kind != flagName || t.text != "define" || !strings.HasPrefix(l.rest(), "=") {
			continue
		}
		line := strings.TrimSpace(l.rest()[1:lineLen(l.rest())])
		key, value, _ := strings.Cut(line, "=")
		all[key] = value
	}
	for k, v := range given {
		all[k] = v
	}
	return all, nil
}

// A parser goes through the tokens of a script.
type parser struct {
	src    string
	tokens []token
	at     int
	depth  int // of nested expressions
}

func (p *parser) peek() *token { return &p.tokens[p.at] }

// ahead is the token n behind the next.
func (p *parser) ahead(n int) *token { return &p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) next() *token {
	t := p.peek()
	if t.kind != endOfFile {
		p.at++
	}
	return t
}

// accept takes the next token if it is that one.
func (p *parser) accept(s string) bool {
	if p.peek().is(s) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(s string) error {
	if p.accept(s) {
		return nil
	}
	t := p.peek()
	return errorf(t.pos, "'%s' is expected, not %v", s, t)
}

// options reads the lines that begin with --.
func (p *parser) options() (list []option, err error) {
	for p.peek().kind == flagName {
		t := p.next()
		o := option{pos: t.pos, name: t.text}
		if p.accept("=") {
			v := p.peek()
			if o.value = p.optionValue(v.first); o.value == "" {
				return nil, errorf(v.pos, "--%s= has no value", o.name)
			}
		}
		list = append(list, o)
	}
	return list, nil
}

// optionValue is what stands up to the next white space, or a text.
func (p *parser) optionValue(from int) string {
	if p.peek().kind == text && !p.ahead(1).is("=") {
		return p.next().text
	}
	end := from
	for first := true; p.peek().kind != endOfFile && (first || !p.peek().space); first = false {
		end = p.next().last
	}
	return p.src[from:end]
}

// events reads the events. Commands without a time may stand before the first
// and behind the last.
func (p *parser) events() (list []event, err error) {
	for p.peek().kind != endOfFile {
		first := p.peek()
		e := event{pos: first.pos}
		if first.kind != shell {
			if e.at, err = p.moment(); err != nil {
				return nil, err
			}
		} else {
			e.at = moment{relative: true}
			e.untimed = true
		}
		if e.action, err = p.action(&e); err != nil {
			return nil, err
		}
		e.text = p.src[first.first:p.tokens[p.at-1].last]
		list = append(list, e)
	}
	return list, nil
}

// moment reads the time of an event.
func (p *parser) moment() (m moment, err error) {
	if p.accept("*") {
		m.any = true
		return m, nil
	}
	m.relative = p.accept("+")
	if m.at, err = p.seconds(); err != nil {
		return m, err
	}
	if !p.accept("~") {
		return m, nil
	}
	m.isRange = true
	if m.relative {
		if err := p.expect("+"); err != nil {
			return m, err
		}
	}
	t := p.peek()
	if m.end, err = p.seconds(); err != nil {
		return m, err
	}
	if m.end < m.at {
		return m, errorf(t.pos, "the range of time ends before it begins")
	}
	return m, nil
}

// seconds reads a time in seconds, to the microsecond.
func (p *parser) seconds() (time.Duration, error) {
	t := p.next()
	if t.kind != float && t.kind != integer {
		return 0, errorf(t.pos, "a time is expected, not %v", t)
	}
	f, err := strconv.ParseFloat(t.text, 64)
	switch {
	case err != nil || f < 0:
		return 0, errorf(t.pos, "the time %s is negative", t.text)
	case f > 1e9:
		return 0, errorf(t.pos, "the time %s is too large", t.text)
	}
	return time.Duration(math.Round(f*1e6)) * time.Microsecond, nil
}

// action reads what an event does.
func (p *parser) action(e *event) (action, error) {
	t := p.peek()
	switch {
	case t.is("<") || t.is(">"):
		if !t.is(">") && (e.at.any || e.at.isRange) {
			return nil, errorf(t.pos, "'*' and ranges are times of packets that go out")
		}
		return p.packet()
	case e.at.any || e.at.isRange:
		return nil, errorf(t.pos, "'*' and ranges are times of packets that go out")
	case t.kind == shell:
		p.next()
		return &command{t.pos, t.text}, nil
	case t.kind == code:
		p.next()
		return parseSnippet(t.pos, t.text)
	case t.kind == word || t.kind == ellipsis:
		return p.call()
	}
	return nil, errorf(t.pos, "a packet, a call, a command or %%{ }%% is expected, not %v", t)
}

// call reads a call with its result.
func (p *parser) call() (_ *call, err error) {
	c := &call{pos: p.peek().pos}
	if p.peek().kind == ellipsis {
		p.next()
		if c.blocks = true; true {
			if c.end, err = p.seconds(); err != nil {
				return nil, err
			}
		}
	}
	name := p.next()
	if name.kind != word {
		return nil, errorf(name.pos, "the name of a call is expected, not %v", name)
	}
	c.pos, c.name = name.pos, name.text
	if c.args, err = p.arguments(); err != nil {
		return nil, err
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	if c.result, err = p.expression(); err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind == word {
		c.errno = p.next().text
	}
	for p.peek().is("(") { // the text of the error, and flags: for the reader
		if err := p.note(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// note passes over a remark in parentheses.
func (p *parser) note() error {
	open := p.next()
	for !p.accept(")") {
		if t := p.next(); t.kind == endOfFile {
			return errorf(open.pos, "'(' without ')'")
		}
	}
	return nil
}

// arguments reads a list in parentheses.
func (p *parser) arguments() ([]expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	return p.list(")")
}

// list reads expressions up to a character that ends them.
func (p *parser) list(end string) (list []expr, err error) {
	if p.accept(end) {
		return nil, nil
	}
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if p.accept(end) {
			return list, nil
		}
		if !p.accept(",") {
			t := p.peek()
			return nil, errorf(t.pos, "',' or '%s' is expected, not %v", end, t)
		}
	}
}

// maxDepth is how deep expressions may be nested.
const maxDepth = 20

// expression reads an expression.
func (p *parser) expression() (e expr, err error) {
	if p.depth++; p.depth > maxDepth {
		return e, errorf(p.peek().pos, "expressions are nested too deep")
	}
	defer func() { p.depth-- }()
	if e, err = p.operand(); err != nil || !p.peek().is("|") {
		return e, err
	}
	or := expr{kind: exprOr, pos: e.pos, list: []expr{e}}
	for p.accept("|") {
		if e, err = p.operand(); err != nil {
			return e, err
		}
		or.list = append(or.list, e)
	}
	return or, nil
}

// operand reads an expression without '|'.
func (p *parser) operand() (e expr, err error) {
	t := p.next()
	e.pos, e.text, e.num = t.pos, t.text, t.num
	switch {
	case t.kind == ellipsis:
		e.kind = exprAny
	case t.kind == integer || t.kind == hexadecimal:
		e.kind = exprNumber
	case t.kind == text:
		e.kind, e.text = exprText, unescaped(t.text)
		for p.peek().kind == text {
			e.text += unescaped(p.next().text)
		}
		if p.peek().kind == ellipsis { // "abc"...: what follows does not matter
			p.next()
		}
	case t.kind == word && p.peek().is("("):
		e.kind = exprApply
		e.list, err = p.arguments()
	case t.kind == word:
		e.kind = exprWord
	case t.is("["):
		e.kind = exprList
		e.list, err = p.list("]")
	case t.is("{"):
		return p.braces(t.pos)
	default:
		err = errorf(t.pos, "a value is expected, not %v", t)
	}
	return e, err
}

// braces reads a struct, or a list.
func (p *parser) braces(pos Pos) (e expr, err error) {
	e = expr{kind: exprList, pos: pos}
	if !p.structAhead() {
		e.list, err = p.list("}")
		return e, err
	}
	e.kind = exprStruct
	for {
		name := p.next()
		if name.kind != word {
			return e, errorf(name.pos, "the name of a field is expected, not %v", name)
		}
		if p.peek().is("(") { // msg_iov(1)=: the length is that of the list
			if _, err := p.arguments(); err != nil {
				return e, err
			}
		}
		if err := p.expect("="); err != nil {
			return e, err
		}
		v, err := p.expression()
		if err != nil {
			return e, err
		}
		e.fields = append(e.fields, field{name.text, v})
		if p.accept("}") {
			return e, nil
		}
		if err := p.expect(","); err != nil {
			return e, err
		}
	}
}

// structAhead tells whether a field begins here: name= or name(n)=.
func (p *parser) structAhead() bool {
	if p.peek().kind != word {
		return false
	}
	if p.ahead(1).is("=") {
		return true
	}
	if !p.ahead(1).is("(") {
		return false
	}
	rest := p.tokens[p.at:]
	i := slices.IndexFunc(rest, func(t token) bool { return t.is(")") })
	return i > 0 && i+1 < len(rest) && rest[i+1].is("=")
}
