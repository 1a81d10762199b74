package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// mostLanes is how many nodes have a lane each in the ladder as text; more are
// named in each line.
const mostLanes = 12

// lanes draws a ladder of more than two nodes:
//
//	 ms  alice   r1      web
//	0.0  ├──────▶│       │      SYN  seq 0
//	1.0  │       ├──✗    │      SYN  seq 0  lost
type lanes struct {
	at    map[int]int // where a node's lane is
	width int         // of all lanes
	step  int
	names bool // there are too many nodes for lanes
}

func newLanes(n int, columns []int, width int) *lanes {
	l := &lanes{at: make(map[int]int), names: n > mostLanes}
	if l.names {
		l.width = 24
		return l
	}
	l.step = min(max(width/2/max(n, 1), 5), 12)
	l.width = (n-1)*l.step + 1
	for k, node := range columns {
		l.at[node] = k * l.step
	}
	return l
}

// empty is a line of lanes on which nothing happens.
func (l *lanes) empty() []rune {
	row := []rune(strings.Repeat(" ", l.width))
	for _, x := range l.at {
		row[x] = '│'
	}
	return row
}

// arrow is a line on which a packet goes from one node to another.
func (l *lanes) arrow(from, to int, lost bool) string {
	row := l.empty()
	x, end, step, head := l.at[from], l.at[to], 1, '▶'
	if end < x {
		step, head = -1, '◀'
	}
	tip := end - step
	if lost {
		tip, head = x+(end-x)/2, '✗'
	}
	for i := x + step; i != tip; i += step {
		row[i] = '─'
	}
	row[tip] = head
	row[x] = '├'
	if step < 0 {
		row[x] = '┤'
	}
	return string(row)
}

func drawLanes(out io.Writer, r *Recording, a *analysis, steps []step, columns []int, width int) {
	l := newLanes(len(columns), columns, width)
	head := []rune(strings.Repeat(" ", l.width+l.step))
	for _, node := range columns {
		if l.names {
			break
		}
		copy(head[l.at[node]:l.at[node]+l.step-1], []rune(short(clean(r.node(node)), l.step-1)))
	}
	fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%10s  %s", "ms", string(head)), " "))
	for _, s := range steps {
		at := fmt.Sprintf("%10.1f", float64(s.at)/float64(time.Millisecond))
		row, text := string(l.empty()), ""
		switch {
		case s.packet >= 0:
			row, text = l.packet(r, a, s.packet)
		case s.note != nil:
			text = "● " + clean(r.node(s.note.Node)) + "  " + noteText(s.note)
		default:
			at, text = strings.Repeat(" ", 10), s.leftOut
		}
		fmt.Fprintln(out, strings.TrimRight(short(at+"  "+row+"  "+text, width), " "))
	}
}

// packet is the line of one.
func (l *lanes) packet(r *Recording, a *analysis, k int) (row, text string) {
	i := a.shown[k]
	p, at := &r.Packets[i], &a.at[i]
	from, to, _ := r.ends(p)
	lost := at.marks&markDropped != 0
	switch {
	case l.names || from == to:
		row = fmt.Sprintf("%-*s", l.width, short(clean(r.node(from))+" → "+clean(r.node(to)), l.width))
	default:
		row = l.arrow(from, to, lost)
	}
	text = a.label[k]
	if lost {
		text += "  ✗ " + reason(p)
	}
	if at.marks&markResent != 0 {
		text += "  resent"
	}
	return row, text + remarks(p, at)
}

// short cuts a text to n columns.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}
