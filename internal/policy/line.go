package policy

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"example.com/berth/internal/badline"
)

// A Line is a bad line that leads to some destinations only.
type Line struct {
	to []*Rule // none of which says anything about what is allowed
	badline.Spec
}

// ParseLine reads a line of its own for a destination:
//
//	line    = rule ": " setting { "," setting }
//	setting = key "=" value
//
// The rule is as ParseRule has it, keys and values are those of package badline. The
// error is a *RuleError.
func ParseLine(text string) (*Line, error) {
	fail := func(at, width int, hint, problem string) (*Line, error) {
		return nil, &RuleError{What: "line", Text: text, Problem: problem, Hint: hint, At: at, Width: width}
	}
	const form = "a line is a destination, a colon, a space and settings: 'api.example.com: delay=50ms,loss=1%'"
	end := strings.IndexAny(text, " \t")
	switch {
	case end < 0:
		return fail(len(text), 1, form, "there are no settings behind the destination")
	case end == 0 || text[end-1] != ':':
		return fail(end, 1, form, "there is no colon behind the destination")
	}
	r, err := ParseRule(false, text[:end-1])
	if e, ok := errors.AsType[*RuleError](err); ok {
		return fail(e.At, e.Width, e.Hint, e.Problem)
	}
	l := &Line{to: []*Rule{r}}
	seen := make(map[string]int) // where each is
	at := end
	for one := range strings.SplitSeq(text[end:], ",") {
		from := at + len(one) - len(strings.TrimLeft(one, " \t"))
		at += len(one) + 1
		one = strings.TrimSpace(one)
		key, value, ok := strings.Cut(one, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		_, twice := seen[key]
		switch {
		case !slices.Contains(badline.Keys(), key):
			return fail(from, len(key), "there are "+strings.Join(badline.Keys(), ", "), "unknown setting "+quoted(key))
		case !ok:
			return fail(from, len(one), key+"=...", key+" has no value")
		case twice:
			return fail(from, len(key), "remove one of them", key+" is there twice")
		}
		seen[key] = from
		if e, ok := errors.AsType[*badline.ValueError](l.Set(key, value, ".")); ok {
			return fail(from+strings.Index(one, "=")+1, max(len(value), 1), e.Hint, e.Problem)
		}
	}
	if key, err := l.Check(); err != nil {
		e, _ := errors.AsType[*badline.ValueError](err)
		return fail(seen[key], len(key), e.Hint, e.Problem)
	}
	return l, nil
}

func quoted(s string) string { return "\"" + s + "\"" }

// Line is the index of the first of the lines that leads to a flow's destination, -1
// if none does. A name is the addresses that the resolver gave for it: whatever the
// program asks them for goes over one line.
func (p *Policy) Line(now time.Time, f Flow, lines []*Line) int {
	dst := f.Dst.Addr().Unmap().WithZone("")
	f.Dst = netip.AddrPortFrom(dst, f.Dst.Port())
	p.mu.Lock()
	names := p.pins.names(now, dst)
	p.mu.Unlock()
	leads := func(r *Rule) bool {
		return r.takes(f.Proto) && r.has(f.Proto, f.Dst.Port()) &&
			(r.deniesAt(dst, "") || slices.ContainsFunc(names, func(n *pin) bool { return r.deniesAt(dst, n.name) }))
	}
	return slices.IndexFunc(lines, func(l *Line) bool { return slices.ContainsFunc(l.to, leads) })
}
