package demo

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"example.com/berth/cmd/berth/internal/sockets"
	"example.com/berth/internal/ladder"
	"example.com/berth/internal/term"
)

// Screen shows a demonstration to a person.
type Screen struct {
	Out   io.Writer
	Width int
	Paint term.Paint
	n     int // scenes shown
}

// Begin says what will be seen.
func (s *Screen) Begin(c *Config) {
	name := s.Paint.On(term.Bold, "berth demo")
	fmt.Fprintf(s.Out, "%s: two TCP/IP hosts in this process, and a bad wire between them\n\n", name)
	left, right := "alice 10.0.0.1 fd00::1", "bob 10.0.0.2 fd00::2"
	mid := fmt.Sprintf(" %v each way, %s lost ", c.Delay, percent(c.Loss))
	rest := max(2, s.Width-4-len([]rune(left+mid+right))-2)
	fmt.Fprintf(s.Out, "  %s %s%s%s %s\n", s.Paint.On(term.Cyan, left), strings.Repeat("─", rest/2), mid,
		strings.Repeat("─", rest-rest/2), s.Paint.On(term.Yellow, right))
}

// Scene shows one.
func (s *Screen) Scene(sc *Scene) {
	s.n++
	s.heading(fmt.Sprintf("%d  %s", s.n, sc.Title))
	d := ladder.Diagram{Names: names, Width: s.Width, Paint: s.style, Start: sc.Start}
	_ = d.Draw(s.Out, sc.shown()) // an output that takes nothing more is found at the end
	fmt.Fprintf(s.Out, "\n%s\n", s.verdict(sc))
}

// style gives the roles of the diagram their colours.
func (s *Screen) style(role ladder.Style, text string) string {
	return s.Paint.On([...]term.Style{
		ladder.Faint:     term.Dim,
		ladder.FromLeft:  term.Cyan,
		ladder.FromRight: term.Yellow,
		ladder.Resent:    term.Green,
		ladder.Lost:      term.Red,
	}[role], text)
}

// names are those of the hosts, in the order of the diagram.
var names = [2]string{"alice", "bob"}

// shown are the events to look at: of many, how they begin and end.
func (sc *Scene) shown() []ladder.Event {
	const first, last = 9, 8
	if sc.Bulk {
		return ladder.Excerpt(sc.Events, first, last)
	}
	return sc.Events
}

func (s *Screen) heading(text string) {
	fmt.Fprintf(s.Out, "\n%s\n\n", s.Paint.On(term.Bold, text))
}

func (s *Screen) verdict(sc *Scene) string {
	if sc.Err != nil {
		return s.Paint.On(term.Red, "  ✗ "+sc.Name+": "+sc.Err.Error())
	}
	return s.Paint.On(term.Green, "  ✓ ") + sc.Note
}

// End shows the tables, what was lost, and what came of it all.
func (s *Screen) End(r *Result) error {
	s.tables(r)
	s.losses(r)
	for _, sc := range r.Scenes {
		mark, note := s.Paint.On(term.Green, "✓"), sc.Note
		if sc.Err != nil {
			mark, note = s.Paint.On(term.Red, "✗"), sc.Err.Error()
		}
		fmt.Fprintf(s.Out, "  %s %-9s %s\n", mark, sc.Name, note)
	}
	last := "Every byte came back"
	if !r.OK() {
		last = "Not every byte came back"
	}
	_, err := fmt.Fprintf(s.Out, "\n%s, in %.1f s. That was --seed %d; try --loss 10%%.\n",
		s.Paint.On(term.Bold, last), r.Elapsed.Seconds(), r.Config.Seed)
	return err
}

func (s *Screen) tables(r *Result) {
	s.heading("The sockets of both hosts, at the end of the download")
	for i, h := range r.Hosts {
		style := []term.Style{term.Cyan, term.Yellow}[i]
		fmt.Fprintln(s.Out, s.Paint.On(style, h.Name))
		_ = (&sockets.Table{}).Print(s.Out, h.Sockets)
		fmt.Fprintln(s.Out)
	}
}

func (s *Screen) losses(r *Result) {
	fmt.Fprintf(s.Out, "%s\n\n", s.Paint.On(term.Bold, "What was lost, and what TCP sent again"))
	const row = "  %-14s %9s %12s %14s %8s\n"
	fmt.Fprintf(s.Out, row, "", "packets", "bytes", "lost", "resent")
	for _, d := range r.Wire {
		lost := fmt.Sprintf("%s (%s)", grouped(d.Lost), percent(float64(d.Lost)/float64(max(1, d.Packets))))
		fmt.Fprintf(s.Out, row, d.From+" → "+d.To, grouped(d.Packets), grouped(d.Bytes), lost, grouped(d.Resent))
	}
	fmt.Fprintln(s.Out)
}

func percent(p float64) string {
	return strconv.FormatFloat(math.Round(1000*p)/10, 'f', -1, 64) + "%"
}

// grouped writes a number with commas.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func size(n int) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%.4g MiB", float64(n)/(1<<20))
	}
	return grouped(n) + " bytes"
}
