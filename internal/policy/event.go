package policy

import (
	"encoding/json"
	"net/netip"
	"time"
)

// The kinds of events.
const (
	EventDecision = "decision" // a flow was judged
	EventBegin    = "begin"    // it began
	EventEnd      = "end"      // it is over
	EventQuestion = "question" // the program asked for a name
	EventAnswer   = "answer"   // and was told
)

// An Event is one line of what berth run --events writes. docs/run-events.md says
// what each field means; names and meanings stay.
type Event struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"`
	// Flow is a number that joins the events of one flow or question, from 1.
	Flow uint64 `json:"flow,omitzero"`

	Protocol    string `json:"protocol,omitzero"`
	Number      uint8  `json:"number,omitzero"`
	Source      string `json:"source,omitzero"`
	Destination string `json:"destination,omitzero"`
	Name        string `json:"name,omitzero"`

	Allow  *bool  `json:"allow,omitzero"`
	Rule   string `json:"rule,omitzero"`
	Reason string `json:"reason,omitzero"`

	Sent     *int64   `json:"sent,omitzero"`
	Received *int64   `json:"received,omitzero"`
	Seconds  *float64 `json:"seconds,omitzero"`
	Error    string   `json:"error,omitzero"`

	Type      string       `json:"type,omitzero"`
	Code      string       `json:"code,omitzero"`
	Addresses []netip.Addr `json:"addresses,omitzero"`
	Removed   []netip.Addr `json:"removed,omitzero"`
}

// Append appends the event as a line of JSON.
func (e Event) Append(b []byte) []byte {
	e.Time = e.Time.UTC()
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // nothing in an Event can fail
	}
	return append(append(b, line...), '\n')
}

// DecisionEvent is the event of a verdict: of Decide, or of a Hello.
func DecisionEvent(now time.Time, id uint64, f Flow, v Verdict) Event {
	e := flowEvent(now, EventDecision, id, f, v)
	e.judged(v)
	return e
}

// BeginEvent is the event of a flow that begins.
func BeginEvent(now time.Time, id uint64, f Flow, v Verdict) Event {
	return flowEvent(now, EventBegin, id, f, v)
}

// EndEvent is the event of a flow that is over, with the bytes that the program
// has sent and received in it, how long it was, and the error that ended it, if
// one did.
func EndEvent(now time.Time, id uint64, f Flow, v Verdict, sent, received int64, lasted time.Duration, err error) Event {
	e := flowEvent(now, EventEnd, id, f, v)
	seconds := lasted.Seconds()
	e.Sent, e.Received, e.Seconds = &sent, &received, &seconds
	if err != nil {
		e.Error = err.Error()
	}
	return e
}

// QuestionEvent is the event of a question, and what was decided about it.
func QuestionEvent(now time.Time, id uint64, q *Query) Event {
	e := Event{Time: now, Event: EventQuestion, Flow: id, Name: q.Name, Type: q.Type}
	e.judged(q.Verdict)
	return e
}

// AnswerEvent is the event of an answer that came from outside.
func AnswerEvent(now time.Time, id uint64, q *Query, a Answer) Event {
	return Event{
		Time: now, Event: EventAnswer, Flow: id, Name: q.Name, Type: q.Type,
		Code: a.Code, Addresses: a.Addrs, Removed: a.Removed, Reason: a.Reason,
	}
}

func flowEvent(now time.Time, kind string, id uint64, f Flow, v Verdict) Event {
	e := Event{Time: now, Event: kind, Flow: id, Protocol: f.Proto.String(), Name: v.Name}
	e.Source, e.Destination = f.end(f.Src), f.end(f.Dst)
	if f.Proto == Other {
		e.Number = f.Number
	}
	return e
}

// end is an end of a flow as text, with a port if there are ports.
func (f Flow) end(ap netip.AddrPort) string {
	switch {
	case !ap.IsValid():
		return ""
	case f.Proto == TCP || f.Proto == UDP:
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()).String()
	}
	return ap.Addr().Unmap().String()
}

func (e *Event) judged(v Verdict) {
	allow := v.Allow
	e.Allow, e.Rule, e.Reason = &allow, v.Rule, v.Reason
}
