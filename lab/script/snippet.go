package script

import (
	"maps"
	"strings"
)

// A statement is an assertion, something to print, or a value for a variable.
type statement struct {
	pos    Pos
	text   string
	assert bool
	// name is the variable that the value is given to, op what becomes of its
	// old value: "=", "+=", "-=".
	name, op string
	expr     node
}

// parseSnippet reads code. It is Python in packetdrill; what scripts use of it is
// assert and print of expressions over the fields of TCP_INFO.
func parseSnippet(pos Pos, src string) (*snippet, error) {
	s := &snippet{pos: pos}
	for _, line := range splitStatements(src) {
		p := pos
		p.Line += line.line
		if line.line > 0 {
			p.Col = 1
		}
		st := statement{pos: p, text: line.text}
		word, rest, _ := strings.Cut(line.text, " ")
		name, args, called := strings.Cut(line.text, "(")
		switch {
		case word == "assert":
			st.assert = true
		case word == "print":
		case strings.TrimSpace(name) == "print" && called && strings.HasSuffix(args, ")"):
			rest = strings.TrimSuffix(args, ")")
		case word == "assert(" || strings.HasPrefix(word, "assert("):
			st.assert, rest = true, strings.TrimPrefix(line.text, "assert")
		default:
			if st.name, st.op, rest = assignment(line.text); st.name == "" {
				return nil, unsupported(p, "the code %q: there are assert, print and assignments", line.text)
			}
		}
		var err error
		if st.expr, err = parseCondition(p, rest); err != nil {
			return nil, err
		}
		s.statements = append(s.statements, st)
	}
	return s, nil
}

// assignment takes "name = expression" apart, also with += and -=.
func assignment(s string) (name, op, rest string) {
	name = s[:wordLen(s)]
	if name == "" || isDigit(name[0]) {
		return "", "", ""
	}
	after := strings.TrimLeft(s[len(name):], " \t")
	for _, op := range []string{"+=", "-=", "="} {
		if rest, ok := strings.CutPrefix(after, op); ok && !strings.HasPrefix(rest, "=") {
			return name, op, rest
		}
	}
	return "", "", ""
}

type codeLine struct {
	text string
	line int // from that of the snippet
}

// splitStatements cuts code at line ends and semicolons, outside of texts and
// parentheses, and drops comments.
func splitStatements(src string) (list []codeLine) {
	var b strings.Builder
	line, first, depth := 0, 0, 0
	quote := byte(0)
	flush := func() {
		if t := strings.TrimSpace(b.String()); t != "" {
			list = append(list, codeLine{t, first})
		}
		b.Reset()
	}
	for i := 0; i < len(src); i++ {
		c := src[i]
		if strings.TrimSpace(b.String()) == "" {
			first = line
		}
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == '#':
			for i+1 < len(src) && src[i+1] != '\n' {
				i++
			}
			continue
		case c == '\\' && i+1 == len(src): // a line that goes on, and there is none
			continue
		case c == '\\' && i+1 < len(src) && src[i+1] == '\n':
			i++
			line++
			continue
		case (c == '\n' || c == ';') && depth <= 0:
			flush()
			if c == '\n' {
				line++
			}
			continue
		}
		if c == '\n' {
			line++
			c = ' '
		}
		b.WriteByte(c)
	}
	flush()
	return list
}

// check evaluates the assertions of a snippet.
func (r *run) check(s *snippet) *Error {
	vars := r.variables()
	if vars == nil {
		return errorf(s.pos, "there is no TCP socket whose state could be asserted")
	}
	maps.Copy(vars, r.named)
	for i := range s.statements {
		st := &s.statements[i]
		if !st.assert && st.name == "" {
			text, err := st.expr.printed(vars)
			if err != nil {
				return err
			}
			r.note("print " + text)
			continue
		}
		v, err := st.expr.eval(vars)
		if err != nil {
			return err
		}
		if st.name != "" {
			switch st.op {
			case "+=":
				v.num = r.named[st.name] + v.num
			case "-=":
				v.num = r.named[st.name] - v.num
			}
			r.named[st.name], vars[st.name] = v.num, v.num
			continue
		}
		if !v.truth() {
			return errorf(st.pos, "the assertion fails: %s%s%s", st.text, shown(st.expr, vars), r.before())
		}
	}
	return nil
}

// shown tells the values of the variables of an expression.
func shown(n node, vars map[string]int64) string {
	var b strings.Builder
	for _, name := range n.names(nil) {
		if v, ok := vars[name]; ok {
			b.WriteString("\n    " + name + " = " + value{num: v}.String())
		}
	}
	return b.String()
}
