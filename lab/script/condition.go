package script

import (
	"slices"
	"strconv"
)

// A value is what an expression gives: a number or a text.
type value struct {
	num    int64
	text   string
	isText bool
}

func (v value) truth() bool { return v.num != 0 || v.text != "" }

func (v value) String() string {
	if v.isText {
		return v.text
	}
	return strconv.FormatInt(v.num, 10)
}

// A node is a part of an expression.
type node struct {
	pos Pos
	// op is an operator, "name", "value", "compare" (a chain: a < b <= c, the
	// operators in ops) or "list" (of what is printed, or an assertion with its
	// message).
	op    string
	value value
	ops   []string
	of    []node
}

// names appends the variables that are used.
func (n *node) namesOf(list []string) []string {
	if n.op == "name" && !slices.Contains(list, n.value.text) {
		list = append(list, n.value.text)
	}
	for i := range n.of {
		list = n.of[i].namesOf(list)
	}
	return list
}

func (n node) names(list []string) []string { return n.namesOf(list) }

// A condition is read by descent: or, and, not, comparison, |, ^, &, sum, product.
type condition struct{ parser }

// parseCondition reads an expression, or several with commas between.
func parseCondition(pos Pos, src string) (node, error) {
	l := lexer{src: pythonText(src), file: pos.File}
	tokens, err := l.all()
	if err != nil {
		return node{}, errorf(pos, "%q cannot be read: %v", src, err)
	}
	for i := range tokens {
		tokens[i].pos = pos
	}
	c := condition{parser{src: src, tokens: splitMinus(tokens)}}
	list := node{pos: pos, op: "list"}
	for {
		n, err := c.level(0)
		if err != nil {
			return node{}, err
		}
		list.of = append(list.of, n)
		if !c.accept(",") {
			break
		}
	}
	if t := c.peek(); t.kind != endOfFile {
		return node{}, errorf(pos, "%v is not expected in %q", t, src)
	}
	return list, nil
}

// pythonText makes texts in single quotes ones in double quotes.
func pythonText(s string) string {
	b := []byte(s)
	quote := byte(0)
	for i, c := range b {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			b[i] = '"'
		case quote != 0 && c == quote:
			quote = 0
			b[i] = '"'
		}
	}
	return string(b)
}

// splitMinus makes an operator of the minus of a number that follows a value:
// tcpi_rto-1.
func splitMinus(list []token) (out []token) {
	for i, t := range list {
		if t.kind == integer && t.num < 0 && i > 0 {
			if before := list[i-1]; before.kind == word || before.kind == integer || before.kind == hexadecimal || before.is(")") {
				out = append(out, token{kind: punctuation, pos: t.pos, text: "-"})
				t.num, t.text = -t.num, t.text[1:]
			}
		}
		out = append(out, t)
	}
	return out
}

// levels are the operators, the weakest first; "not" and comparisons have rules
// of their own.
var levels = [][]string{{"or"}, {"and"}, {"not"}, {"compare"}, {"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}}

func (c *condition) level(n int) (node, error) {
	if n == len(levels) {
		return c.unary()
	}
	if c.depth++; c.depth > maxDepth*len(levels) {
		return node{}, errorf(c.peek().pos, "the expression is nested too deep")
	}
	defer func() { c.depth-- }()
	switch levels[n][0] {
	case "not":
		if c.accept("not") {
			of, err := c.level(n)
			return node{pos: of.pos, op: "not", of: []node{of}}, err
		}
		return c.level(n + 1)
	case "compare":
		return c.chain(n + 1)
	}
	left, err := c.level(n + 1)
	for err == nil {
		op := c.operator(levels[n])
		if op == "" {
			break
		}
		var right node
		right, err = c.level(n + 1)
		left = node{pos: left.pos, op: op, of: []node{left, right}}
	}
	return left, err
}

// operator takes one of some operators. Those of two characters are two tokens.
func (c *condition) operator(list []string) string {
	for _, op := range list {
		if len(op) == 2 && c.peek().kind == punctuation {
			if c.peek().text == op[:1] && c.ahead(1).text == op[1:] && !c.ahead(1).space {
				c.at += 2
				return op
			}
			continue
		}
		if c.peek().is(op) {
			c.at++
			return op
		}
	}
	return ""
}

// chain reads comparisons: 1 < x <= 10.
func (c *condition) chain(n int) (node, error) {
	first, err := c.level(n)
	chain := node{pos: first.pos, op: "compare", of: []node{first}}
	for err == nil {
		op := c.operator([]string{"==", "!=", "<=", ">="})
		if op == "" {
			op = c.operator([]string{"<", ">"})
		}
		if op == "" {
			break
		}
		var right node
		right, err = c.level(n)
		chain.ops, chain.of = append(chain.ops, op), append(chain.of, right)
	}
	if len(chain.ops) == 0 {
		return first, err
	}
	return chain, err
}

func (c *condition) unary() (node, error) {
	t := c.next()
	n := node{pos: t.pos}
	switch {
	case t.kind == integer || t.kind == hexadecimal:
		n.op, n.value.num = "value", t.num
	case t.kind == text:
		n.op, n.value = "value", value{text: t.text, isText: true}
	case t.is("-"):
		of, err := c.level(len(levels))
		return node{pos: t.pos, op: "-", of: []node{{op: "value"}, of}}, err
	case t.is("("):
		n, err := c.level(0)
		if err != nil {
			return n, err
		}
		if c.accept(",") { // assert (a == b, 'message')
			if _, err := c.level(0); err != nil {
				return n, err
			}
		}
		return n, c.expect(")")
	case t.is("True") || t.is("False"):
		n.op = "value"
		if t.text == "True" {
			n.value.num = 1
		}
	case t.kind == word && c.peek().is("("):
		return n, unsupported(t.pos, "the function %s in code", t.text)
	case t.kind == word:
		n.op, n.value.text = "name", t.text
	default:
		return n, errorf(t.pos, "a value is expected, not %v", t)
	}
	return n, nil
}
