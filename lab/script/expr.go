package script

import (
	"strconv"
	"strings"
)

// An exprKind is that of an expression.
type exprKind uint8

const (
	exprNumber exprKind = iota
	exprWord
	exprText
	exprAny    // ...
	exprOr     // a | b
	exprList   // [a, b] or {a, b}
	exprStruct // {a=b, c(n)=d}
	exprApply  // htons(80)
)

// An expr is an argument or a result of a call. The grammar does not know which
// struct is meant: the call does.
type expr struct {
	kind   exprKind
	pos    Pos
	num    int64
	text   string // of a word, a text and a function
	list   []expr
	fields []field
}

// A field is one of a struct.
type field struct {
	name  string
	value expr
}

// field returns a field, or nil.
func (e *expr) field(name string) *expr {
	for i := range e.fields {
		if e.fields[i].name == name {
			return &e.fields[i].value
		}
	}
	return nil
}

func (e *expr) String() string {
	switch e.kind {
	case exprNumber:
		return strconv.FormatInt(e.num, 10)
	case exprText:
		return strconv.Quote(e.text)
	case exprAny:
		return "..."
	case exprOr:
		return join(e.list, "|")
	case exprList:
		return "[" + join(e.list, ", ") + "]"
	case exprApply:
		return e.text + "(" + join(e.list, ", ") + ")"
	case exprStruct:
		var parts []string
		for _, f := range e.fields {
			parts = append(parts, f.name+"="+f.value.String())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return e.text
	}
}

func join(list []expr, sep string) string {
	parts := make([]string, len(list))
	for i := range list {
		parts[i] = list[i].String()
	}
	return strings.Join(parts, sep)
}
