package ladder

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Diagram is how events are drawn.
type Diagram struct {
	// Names are those of the hosts, left and right.
	Names [2]string
	// Width is that of the whole, in columns.
	Width int
	Paint Paint
	// Start is the time that is shown as 0.
	Start time.Duration
}

// timeWidth is the room for the time, with the space behind it.
const timeWidth = 9

// inner is the room between the two lines of life.
func (d *Diagram) inner() int { return d.Width - timeWidth - 2 }

// styles of the two hosts' packets.
var sideStyle = [2]Style{FromLeft, FromRight}

// Draw draws events, which are in order.
func (d *Diagram) Draw(w io.Writer, events []Event) error {
	out := bufio.NewWriter(w)
	d.head(out)
	for _, e := range events {
		at := stamp(e.At - d.Start)
		switch {
		case e.Call != nil:
			d.call(out, at, e.Call)
		case e.Packet != nil:
			fmt.Fprintf(out, "%s%s%s%s\n", d.Paint.on(Faint, at), d.lane(), d.arrow(e.Packet), d.lane())
		default:
			d.gap(out, e)
		}
	}
	return out.Flush()
}

// stamp is a time in milliseconds, or in seconds from 1000 on, which it says.
func stamp(at time.Duration) string {
	if at >= 1000*time.Second {
		return fmt.Sprintf("%*.1fs ", timeWidth-2, at.Seconds())
	}
	return fmt.Sprintf("%*.1f ", timeWidth-1, float64(at)/float64(time.Millisecond))
}

func (d *Diagram) lane() string { return d.Paint.on(Faint, "│") }

// head names the hosts over their lines.
func (d *Diagram) head(out io.Writer) {
	left, right := d.Names[0], d.Names[1]
	fill := strings.Repeat(" ", max(1, d.Width-timeWidth-width(left)-width(right)))
	fmt.Fprintf(out, "%s%s%s%s\n", d.Paint.on(Faint, fmt.Sprintf("%*s ", timeWidth-1, "ms")),
		d.Paint.on(sideStyle[Left], left), fill, d.Paint.on(sideStyle[Right], right))
}

// call draws a call at its host's line, its detail behind it, or beneath where
// there is no room.
func (d *Diagram) call(out io.Writer, at string, c *Call) {
	room := d.inner() - 2
	lines := []string{c.Text}
	switch {
	case c.Detail == "":
	case width(c.Text)+2+width(c.Detail) <= room:
		lines[0] += "  " + d.Paint.on(Faint, c.Detail)
	default:
		lines = append(lines, d.Paint.on(Faint, "  "+c.Detail))
	}
	dot := d.Paint.on(sideStyle[c.Side], "●")
	for i, text := range lines {
		if i > 0 {
			at, dot = strings.Repeat(" ", timeWidth), d.lane()
		}
		fill := strings.Repeat(" ", max(0, room-visible(text)))
		at = d.Paint.on(Faint, at)
		if c.Side == Left {
			fmt.Fprintf(out, "%s%s %s%s %s\n", at, dot, text, fill, d.lane())
		} else {
			fmt.Fprintf(out, "%s%s %s%s %s\n", at, d.lane(), fill, text, dot)
		}
	}
}

// arrow draws a packet between the lines. The label stands near its sender, so
// that the eye finds both directions; a lost packet ends in a cross.
func (d *Diagram) arrow(p *Packet) string {
	const lead = 4
	label := " " + p.Label()
	if p.Resent {
		label += "  resent"
	}
	label = cut(label+" ", d.inner()-lead-2)
	rest := d.inner() - lead - width(label)
	style := sideStyle[p.From]
	if p.Resent {
		style = Resent
	}
	shaft, head := strings.Repeat("─", rest-1), "▶"
	if p.From == Right {
		head = "◀"
	}
	if p.Lost != "" {
		style = Lost
		shaft, head = d.broken(p, rest)
	}
	tail := strings.Repeat("─", lead)
	if p.From == Left {
		return d.Paint.on(style, tail+label+shaft+head)
	}
	return d.Paint.on(style, head+shaft+label+tail)
}

// broken is the rest of a lost packet's arrow: half a shaft, a cross, and why.
func (d *Diagram) broken(p *Packet, rest int) (shaft, head string) {
	why := cut("✗ "+p.Lost, rest)
	shaft = strings.Repeat("─", max(0, (rest-width(why))/2))
	space := strings.Repeat(" ", max(0, rest-width(shaft)-width(why)))
	if p.From == Left {
		return shaft, why + space
	}
	why = cut(p.Lost+" ✗", rest)
	return shaft, space + why
}

// gap draws the place of events that are left out.
func (d *Diagram) gap(out io.Writer, e Event) {
	text := cut(e.LeftOut, d.inner()-2)
	left := (d.inner() - width(text)) / 2
	right := d.inner() - width(text) - left
	fmt.Fprintf(out, "%s%s%s%s%s%s\n", strings.Repeat(" ", timeWidth), d.Paint.on(Faint, "┊"),
		strings.Repeat(" ", left), d.Paint.on(Faint, text), strings.Repeat(" ", right), d.Paint.on(Faint, "┊"))
}

func width(s string) int { return utf8.RuneCountInString(s) }

// visible is the width of a text without its escape sequences.
func visible(s string) int {
	n, escape := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			n++
		}
	}
	return n
}

// cut shortens a text to n columns.
func cut(s string, n int) string {
	if width(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}
