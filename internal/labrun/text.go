package labrun

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/berth/internal/labfile"
	"example.com/berth/internal/term"
	"example.com/berth/lab/report"
)

// Text is a Printer for people.
type Text struct {
	Out   io.Writer
	Paint term.Paint
	// Quiet shows what came of it, and nothing before.
	Quiet bool

	width int // of the names of commands
}

// Begin shows the network.
func (t *Text) Begin(s *Scene) error {
	t.width = len("network")
	for _, c := range s.File.Commands {
		t.width = max(t.width, len(c.Name))
	}
	if t.Quiet {
		return nil
	}
	clock := "on the wall clock"
	if s.File.Fake {
		clock = "on fake time"
	}
	name := s.File.Name
	if name == "" {
		name = s.File.Path
	}
	fmt.Fprintf(t.Out, "%s: seed %d, %s\n\n", t.Paint.On(term.Bold, name), s.File.Seed, clock)
	const most = 24 // of a large network, this much
	w := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	for i, n := range s.Nodes {
		if i == most {
			fmt.Fprintf(w, "  ... and %d more\n", len(s.Nodes)-most)
			break
		}
		line := fmt.Sprintf("  %s\t%s\t%s", n.Name, n.Kind, strings.Join(n.Addrs, " "))
		fmt.Fprintln(w, strings.TrimRight(line, "\t"))
	}
	w.Flush()
	fmt.Fprintln(t.Out)
	for i, l := range s.Links {
		if i == most {
			fmt.Fprintf(t.Out, "  ... and %d more\n", len(s.Links)-most)
			break
		}
		fmt.Fprintf(t.Out, "  %s: %s\n", l.Name, ways(s.Nodes, &l))
	}
	_, err := fmt.Fprintln(t.Out)
	return err
}

// ways is what both directions of a link are like.
func ways(nodes []report.Node, l *report.Link) string {
	if l.AtoB == l.BtoA {
		return l.AtoB
	}
	return fmt.Sprintf("from %s %s; from %s %s", nodes[l.A].Name, l.AtoB, nodes[l.B].Name, l.BtoA)
}

// Line shows when, who and what.
func (t *Text) Line(l *Line) error {
	if t.Quiet {
		return nil
	}
	style := term.Cyan
	switch {
	case l.Command < 0:
		style = term.Yellow
	case l.Type == "failed":
		style = term.Red
	}
	name := fmt.Sprintf("%-*s", t.width, l.Name)
	_, err := fmt.Fprintf(t.Out, "%12.6f  %s  %s\n", l.At.Seconds(), t.Paint.On(style, name), l.Text)
	return err
}

// End shows what came of it.
func (t *Text) End(r *Result) error {
	if !t.Quiet {
		fmt.Fprintf(t.Out, "\n%s\n\n", t.Paint.On(term.Bold, "What came of it"))
	}
	for i := range r.Outcomes {
		t.outcome(&r.Outcomes[i])
	}
	if !t.Quiet {
		t.links(r)
	}
	_, err := fmt.Fprintln(t.Out, t.verdict(r))
	return err
}

func (t *Text) outcome(o *Outcome) {
	c := o.Command
	fmt.Fprintf(t.Out, "  %-*s  %s\n", t.width, c.Name, summary(o))
	for _, v := range o.Verdicts {
		mark, got := t.Paint.On(term.Green, "✓"), ""
		if !v.OK {
			mark, got = t.Paint.On(term.Red, "✗"), t.Paint.On(term.Red, " but "+v.Got)
		} else if !v.Error {
			got = ": " + v.Got
		}
		fmt.Fprintf(t.Out, "  %-*s    %s expected %v%s\n", t.width, "", mark, &v.Expectation, got)
	}
	if o.Err != nil && !o.failureExpected() {
		fmt.Fprintf(t.Out, "  %-*s    %s %v\n", t.width, "", t.Paint.On(term.Red, "✗"), o.Err)
	}
}

// summary is a command's measures in a line.
func summary(o *Outcome) string {
	if !o.Begun {
		return "did not begin"
	}
	has := func(name string) string {
		v := o.Value(name)
		for _, m := range o.Values {
			if m.Name == name {
				return m.Format(v)
			}
		}
		return ""
	}
	rtt := func() string {
		if o.Value("rtt") != o.Value("rtt") { // not a number
			return ""
		}
		return fmt.Sprintf(", rtt min/avg/max %s / %s / %s", has("rtt-min"), has("rtt"), has("rtt-max"))
	}
	switch s := o.Command.Spec.(type) {
	case *labfile.Ping:
		return fmt.Sprintf("%s sent, %s received, %s lost%s", has("sent"), has("received"), has("loss"), rtt())
	case *labfile.Connect:
		if o.Value("sent") == 0 {
			return "no message sent; " + plural(has("attempts"), "attempt")
		}
		return fmt.Sprintf("%s sent, %s came back, %s lost%s; %s", has("sent"), has("received"), has("loss"), rtt(), plural(has("attempts"), "attempt"))
	case *labfile.Echo:
		return fmt.Sprintf("%s, %s, %s sent back", plural(has("connections"), "connection"), plural(has("datagrams"), "datagram"), has("bytes"))
	case *labfile.Perf:
		if s.UDP {
			return fmt.Sprintf("%s, %s in %s; %s of %s datagrams lost (%s), jitter %s", has("goodput"), has("bytes"), has("time"),
				labfile.Count.Format(o.Value("sent")-o.Value("received")), has("sent"), has("loss"), has("jitter"))
		}
		return fmt.Sprintf("%s, %s in %s; %s", has("goodput"), has("bytes"), has("time"), plural(has("retransmits"), "segment")+" sent again")
	case *labfile.HTTP:
		line := fmt.Sprintf("%s ok, %s failed, %s in %s", has("ok"), has("failed"), has("bytes"), has("time"))
		if o.Value("ok") > 0 {
			line += fmt.Sprintf("; latency p50/p95/max %s / %s / %s", has("latency-p50"), has("latency-p95"), has("latency-max"))
		}
		return line
	}
	return ""
}

func plural(n, what string) string {
	if n == "1" {
		return "1 " + what
	}
	return n + " " + what + "s"
}

// links shows the counters of links that carried something.
func (t *Text) links(r *Result) {
	fmt.Fprintln(t.Out)
	w := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	const most = 48
	for i, l := range r.Links {
		if i == most {
			fmt.Fprintf(w, "  ... and %d more\n", len(r.Links)-most)
			break
		}
		if l.Packets == 0 {
			continue
		}
		fmt.Fprintf(w, "  %s → %s\t%s\t%s%s\n", l.From, l.To, plural(fmt.Sprint(l.Packets), "packet"),
			labfile.Size.Format(float64(l.Bytes)), fates(&l))
	}
	w.Flush()
	fmt.Fprintln(t.Out)
}

// fates says what became of packets that did not just arrive.
func fates(l *LinkStats) string {
	var parts []string
	for _, f := range []struct {
		n    uint64
		what string
	}{
		{l.Lost + l.LostBurst, "lost"},
		{l.QueueFull, "too many for the queue"},
		{l.QueueAQM, "dropped by CoDel"},
		{l.ByRule, "dropped by a rule"},
		{l.Cleared, "lost by a cut"},
		{l.Overflow, "too many on their way"},
		{l.Marked, "marked"},
		{l.Corrupted, "corrupted"},
		{l.Duplicated, "duplicated"},
		{l.Reordered, "reordered"},
	} {
		if f.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", f.n, f.what))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "\t" + strings.Join(parts, ", ")
}

// verdict is the last line.
func (t *Text) verdict(r *Result) string {
	clock := "of the wall clock"
	if r.File.Fake {
		clock = "of fake time"
	}
	line := fmt.Sprintf("%s %s", r.Length.Round(time.Microsecond), clock)
	if r.Bounded {
		line += ", ended by its bound"
	}
	if r.EventsLeft > 0 {
		line += fmt.Sprintf("; %s would have come later", times(r.EventsLeft, "event"))
	}
	failures := r.Failures()
	held, all := r.Checks()
	switch {
	case r.Interrupted:
		return t.Paint.On(term.Yellow, "interrupted after ") + line
	case len(failures) > 0:
		return t.Paint.On(term.Red, fmt.Sprintf("FAILED: %d of %s; ", len(failures), times(all+unexpected(r), "check"))) + line
	case all > 0:
		return t.Paint.On(term.Green, fmt.Sprintf("ok: %s; ", times(held, "check"))) + line
	}
	return t.Paint.On(term.Green, "ok: ") + line
}

// unexpected counts the commands that failed though nothing said so.
func unexpected(r *Result) (n int) {
	for i := range r.Outcomes {
		if r.Outcomes[i].Err != nil && !r.Outcomes[i].failureExpected() {
			n++
		}
	}
	return n
}
