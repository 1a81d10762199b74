package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"example.com/berth/internal/ladder"
)

// TextOptions say how the text is laid out. The zero value is fine.
type TextOptions struct {
	// Width is that of the text in columns; 0 stands for 100, and less than 80
	// for 80. Tables of sockets keep their own.
	Width int
	// Lines is the most lines that the ladder has, and each of the other parts;
	// 0 stands for 200. What is left out is told in a line.
	Lines int
}

func (o *TextOptions) width() int {
	if o.Width == 0 {
		return 100
	}
	return max(o.Width, 80)
}

func (o *TextOptions) lines() int {
	if o.Lines == 0 {
		return 200
	}
	return max(o.Lines, 10)
}

// WriteText writes the recording as text: what failed, the links with what they
// lost, the ladder with notes and drops in their places, and the tables of
// sockets.
func WriteText(w io.Writer, r *Recording, o TextOptions) error {
	out := bufio.NewWriter(w)
	a := analyse(r)
	textHead(out, r)
	textLinks(out, r, o.lines())
	textLadder(out, r, a, &o)
	textTables(out, r, o.lines())
	return out.Flush()
}

func textHead(out io.Writer, r *Recording) {
	fmt.Fprintf(out, "%s  seed %d  %v  %s packets\n", clean(r.Title), r.Seed, r.Length, grouped(len(r.Packets)))
	for _, f := range r.Failed {
		fmt.Fprintf(out, "✗ %s\n", strings.ReplaceAll(cleanLines(f), "\n", "\n  "))
	}
	if r.Repeat != "" {
		fmt.Fprintf(out, "repeat: %s\n", clean(r.Repeat))
	}
	if r.Truncated != "" {
		fmt.Fprintf(out, "not all is here: %s\n", clean(r.Truncated))
	}
}

func textLinks(out io.Writer, r *Recording, limit int) {
	var d document
	d.topology(r)
	if len(d.Links) > 0 {
		fmt.Fprintln(out)
	}
	for i, l := range d.Links {
		if i == limit/2 {
			fmt.Fprintf(out, "… %d more links\n", len(d.Links)-i)
			return
		}
		for way, says := range []string{l.AtoB, l.BtoA} {
			from, to := l.A, l.B
			if way == 1 {
				from, to = to, from
			}
			if says != "" {
				says = "  " + clean(says)
			}
			fmt.Fprintf(out, "%s → %s%s  %s\n", clean(r.node(from)), clean(r.node(to)), says, packets(l.Packets[way], l.Lost[way], 0))
		}
	}
}

// packets says how many there were, and what became of them.
func packets(n, lost, resent int) string {
	s := grouped(n) + " packets"
	if n == 1 {
		s = "1 packet"
	}
	if lost > 0 {
		s += ", " + grouped(lost) + " lost"
	}
	if resent > 0 {
		s += ", " + grouped(resent) + " resent"
	}
	return s
}

func textTables(out io.Writer, r *Recording, limit int) {
	for _, t := range r.Tables {
		fmt.Fprintf(out, "\nsockets of %s\n", clean(r.node(t.Node)))
		lines := strings.Split(strings.TrimRight(cleanLines(t.Text), "\n"), "\n")
		for i, line := range lines {
			if i == limit {
				fmt.Fprintf(out, "… %s more lines\n", grouped(len(lines)-i))
				break
			}
			fmt.Fprintln(out, line)
		}
	}
}

// textLadder draws the ladder: of two nodes as a diagram, of more with a lane
// for each and labels beside them.
func textLadder(out io.Writer, r *Recording, a *analysis, o *TextOptions) {
	fmt.Fprintln(out)
	steps := choose(r, a, o.lines())
	if len(steps) == 0 {
		fmt.Fprintln(out, "No packet was sent.")
		return
	}
	columns := used(r, a)
	if len(columns) == 2 {
		d := ladder.Diagram{Names: [2]string{clean(r.node(columns[0])), clean(r.node(columns[1]))}, Width: o.width()}
		_ = d.Draw(out, diagram(r, a, steps, columns)) // out keeps its error
		return
	}
	drawLanes(out, r, a, steps, columns, o.width())
}

// used are the nodes that sent or received, in order.
func used(r *Recording, a *analysis) []int {
	seen := make([]bool, len(r.Nodes))
	for _, i := range a.shown {
		from, to, _ := r.ends(&r.Packets[i])
		seen[from], seen[to] = true, true
	}
	var out []int
	for i, yes := range seen {
		if yes {
			out = append(out, i)
		}
	}
	return out
}

// diagram makes the steps those of internal/ladder.
func diagram(r *Recording, a *analysis, steps []step, columns []int) []ladder.Event {
	var out []ladder.Event
	for _, s := range steps {
		e := ladder.Event{At: s.at}
		switch {
		case s.packet >= 0:
			i := a.shown[s.packet]
			from, _, _ := r.ends(&r.Packets[i])
			p := &ladder.Packet{Text: a.label[s.packet] + remarks(&r.Packets[i], &a.at[i]), Resent: a.at[i].marks&markResent != 0}
			if from == columns[1] {
				p.From = ladder.Right
			}
			if a.at[i].marks&markDropped != 0 {
				p.Lost = reason(&r.Packets[i])
			}
			e.Packet = p
		case s.note != nil && s.note.Node == columns[0], s.note != nil && s.note.Node == columns[1]:
			e.Call = &ladder.Call{Text: noteText(s.note)}
			if s.note.Node == columns[1] {
				e.Call.Side = ladder.Right
			}
		case s.note != nil:
			e.LeftOut = fmt.Sprintf("%v  %s: %s", s.at, clean(r.node(s.note.Node)), noteText(s.note))
		default:
			e.LeftOut = s.leftOut
		}
		out = append(out, e)
	}
	return out
}

func noteText(n *Note) string { return clean(n.Kind + ": " + n.Text) }

func reason(p *Packet) string {
	if p.Comment == "" {
		return "lost"
	}
	return clean(p.Comment)
}

// remarks are what is said behind a label: what befell a packet that was not
// lost, and what TCP means by it.
func remarks(p *Packet, at *position) string {
	var words []string
	if p.Comment != "" && !p.Dropped {
		words = append(words, clean(p.Comment))
	}
	for _, x := range []struct {
		bit  marks
		text string
	}{
		{markOvertaken, "overtaken"}, {markCE, "CE"}, {markKeepAlive, "keep-alive"}, {markZero, "zero window"}, {markWaiting, "on its way at the end"},
	} {
		if at.marks&x.bit != 0 && !(x.bit == markOvertaken && strings.Contains(p.Comment, "reordered")) {
			words = append(words, x.text)
		}
	}
	if at.dup > 0 {
		words = append(words, fmt.Sprintf("dup ack %d", at.dup))
	}
	if len(words) == 0 {
		return ""
	}
	return "  [" + strings.Join(words, "] [") + "]"
}

// clean takes from a text what would move a terminal's cursor.
func clean(s string) string { return strings.Map(printable, s) }

// cleanLines leaves the ends of lines, and tabs.
func cleanLines(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' {
			return c
		}
		return printable(c)
	}, s)
}

func printable(c rune) rune {
	if c < ' ' || c >= 0x7f && c < 0xa0 || c == utf8.RuneError {
		return '·'
	}
	return c
}
