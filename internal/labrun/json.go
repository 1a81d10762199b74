package labrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"example.com/berth/internal/labfile"
)

// JSON is a Printer for programs: an object a line, whose "type" says what it is.
// The first is "begin", the last "end", and before that there is a "result" for
// each command; all between says what happens. Times, "at" and durations are
// seconds since the run began; rates are bits a second, sizes bytes, shares from
// 0 to 1. What there was nothing to measure of is null.
type JSON struct{ Out io.Writer }

type object map[string]any

// write writes an object of a type, which comes first.
func (j JSON) write(kind string, o object) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":%q,`, kind)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	at := b.Len()
	if err := e.Encode(o); err != nil {
		return err
	}
	line := slices.Delete(b.Bytes(), at, at+1) // the brace that opened o
	_, err := j.Out.Write(line)
	return err
}

// Begin writes the network.
func (j JSON) Begin(s *Scene) error {
	var nodes, links []object
	for _, n := range s.Nodes {
		nodes = append(nodes, object{"name": n.Name, "kind": n.Kind, "addresses": n.Addrs})
	}
	for _, l := range s.Links {
		links = append(links, object{"a": s.Nodes[l.A].Name, "b": s.Nodes[l.B].Name, "a_to_b": l.AtoB, "b_to_a": l.BtoA})
	}
	return j.write("begin", object{
		"name": s.File.Name, "file": s.File.Path, "seed": s.File.Seed, "fake": s.File.Fake,
		"hosts": nodes, "links": links,
	})
}

// Line writes what happened.
func (j JSON) Line(l *Line) error {
	o := object{"at": l.At.Seconds()}
	if l.Command >= 0 {
		o["command"] = l.Name
	}
	maps.Copy(o, l.Data)
	return j.write(l.Type, o)
}

// End writes what came of it.
func (j JSON) End(r *Result) error {
	for i := range r.Outcomes {
		if err := j.write("result", outcome(&r.Outcomes[i])); err != nil {
			return err
		}
	}
	links := []object{}
	for _, l := range r.Links {
		links = append(links, object{
			"from": l.From, "to": l.To, "packets": l.Packets, "bytes": l.Bytes, "dropped": l.Dropped(), "lost": l.Lost + l.LostBurst,
			"queue_full": l.QueueFull, "queue_aqm": l.QueueAQM, "cut": l.Cleared, "marked": l.Marked,
			"corrupted": l.Corrupted, "duplicated": l.Duplicated, "reordered": l.Reordered,
		})
	}
	failures := r.Failures()
	if failures == nil {
		failures = []string{}
	}
	return j.write("end", object{
		"ok": r.OK(), "at": r.Length.Seconds(), "bounded": r.Bounded, "interrupted": r.Interrupted, "events_left": r.EventsLeft,
		"failures": failures, "links": links,
	})
}

// outcome is what came of a command.
func outcome(o *Outcome) object {
	values := object{}
	for _, v := range o.Values {
		values[v.Name] = v.number()
	}
	verdicts := []object{}
	for _, v := range o.Verdicts {
		verdicts = append(verdicts, object{"expected": v.Expectation.String(), "got": v.Got, "ok": v.OK})
	}
	result := object{
		"command": o.Command.Name, "kind": o.Command.Kind, "on": o.Command.On, "ok": o.OK(),
		"begun": o.Begun, "began": o.Began.Seconds(), "ended": o.Ended.Seconds(), "values": values, "expect": verdicts, "error": nil,
	}
	if o.Err != nil {
		result["error"] = o.Err.Error()
	}
	return result
}

// number is a value for JSON, which knows no NaN.
func (v *Value) number() any {
	switch {
	case math.IsNaN(v.Value):
		return nil
	case v.Dimension == labfile.Duration:
		return time.Duration(v.Value).Seconds()
	}
	return v.Value
}
