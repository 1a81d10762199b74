package judge

import (
	"fmt"
	"slices"

	"example.com/berth/socket"
)

// A Difference is the first place where two hosts differ.
type Difference struct {
	// Step is the number of the observation: 0 is that of the opening call.
	Step int
	// What differs: "result", "state", "events", "sent" or "acknowledged".
	What string
	// Berth and Linux are what each does.
	Berth, Linux string
}

func (d *Difference) String() string {
	return fmt.Sprintf("step %d: %s: berth %s, Linux %s", d.Step, d.What, d.Berth, d.Linux)
}

// A run is what one host did.
type run struct {
	all   []Observation
	acked []int // before each step: what it had acknowledged
}

func newRun(all []Observation) *run {
	r := &run{all: all, acked: make([]int, len(all)+1)}
	for i := range all {
		r.acked[i+1] = r.acked[i]
		for _, k := range all[i].Sent {
			r.acked[i+1] = max(r.acked[i+1], k.Ack)
		}
	}
	return r
}

// Compare finds the first difference that is neither tolerated nor accepted, or
// nil. The names of the accepted ones that it met are in met. After most of those
// the runs are of two stories, and not compared further; others say what of the
// packets is left out from there on.
func Compare(s *Schedule, berth, linux []Observation) (first *Difference, met []string) {
	b, l := newRun(berth), newRun(linux)
	var out leave
	for i := 0; i < len(berth); {
		d := differ(s.step(i), b, l, i, out)
		if d == nil {
			i++
			continue
		}
		d.Step = i
		a := acceptedAs(&moment{d, s, s.step(i), berth, linux})
		if a == nil {
			return d, met
		}
		met = append(met, a.name)
		if a.leave == (leave{}) || out == a.leave.and(out) {
			return nil, met
		}
		out = a.leave.and(out)
	}
	return nil, met
}

func (l leave) and(m leave) leave { return leave{l.echo || m.echo, l.sack || m.sack} }

// step is the one that an observation is of; nil for the first, of the opening
// call.
func (s *Schedule) step(i int) Step {
	if i == 0 {
		return nil
	}
	return s.steps[i-1]
}

// differ compares one step.
func differ(step Step, b, l *run, i int, out leave) *Difference {
	x, y := &b.all[i], &l.all[i]
	sent := &Difference{What: "sent", Berth: text(x.Sent), Linux: text(y.Sent)}
	switch {
	case x.Result != y.Result:
		return &Difference{What: "result", Berth: x.Result, Linux: y.Result}
	case !slices.Equal(x.spoken(out), y.spoken(out)):
		return sent
	case x.State != y.State:
		return &Difference{What: "state", Berth: x.State.String(), Linux: y.State.String()}
	case x.Events != y.Events:
		return &Difference{What: "events", Berth: x.Events.String(), Linux: y.Events.String()}
	}
	if !slices.Equal(x.duplicates(b.acked[i], out), y.duplicates(l.acked[i], out)) &&
		!late(x, y, b.acked[i], l.acked[i], out) && !readsOn(step) && !old(step, b.acked[i] != l.acked[i]) {
		return sent
	}
	if w, ok := step.(wait); ok && w.d >= settled && x.State != 0 && x.State != socket.TCP_CLOSE && b.acked[i+1] != l.acked[i+1] {
		return &Difference{What: "acknowledged", Berth: fmt.Sprint(b.acked[i+1]), Linux: fmt.Sprint(l.acked[i+1])}
	}
	return nil
}

// text is what was sent, for people.
func text(all []Packet) string {
	if len(all) == 0 {
		return "nothing"
	}
	s := ""
	for i := range all {
		if i > 0 {
			s += "; "
		}
		s += all[i].String()
	}
	return s
}
