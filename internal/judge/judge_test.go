package judge

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/berth/internal/header"
)

var update = flag.Bool("update", false, "write the list of accepted differences into docs/linux.md")

// onBerth plays a schedule to a new berth host.
func onBerth(t *testing.T, s *Schedule) (all []Observation) {
	synctest.Test(t, func(t *testing.T) {
		w, err := NewBerth()
		if err != nil {
			t.Fatal(err)
		}
		if all, err = Play(w, s, Ports{Host: 8080, Peer: 50000}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return all
}

// A schedule means the same each time, and a host does not differ from itself.
func TestTheSameAgain(t *testing.T) {
	for seed := range uint64(300) {
		s := Generate(seed)
		a, b := onBerth(t, s), onBerth(t, Generate(seed))
		if d, met := Compare(s, a, b); d != nil || len(met) > 0 {
			t.Fatalf("%v\n%s", met, Listing(s, a, b, d))
		}
		for i := range a {
			if a[i].String() != b[i].String() {
				t.Fatalf("seed %d, step %d: %v and %v", seed, i, a[i].String(), b[i].String())
			}
		}
	}
}

// Schedules reach what they are for.
func TestSchedulesGoPlaces(t *testing.T) {
	states := make(map[string]int)
	answers := make(map[string]int)
	for seed := range uint64(300) {
		s := Generate(seed)
		for i, o := range onBerth(t, s) {
			states[o.State.String()]++
			if i > 0 {
				if c, ok := s.steps[i-1].(onSocket); ok {
					answers[strings.SplitN(c.name, "(", 2)[0]+" "+o.Result]++
				}
			}
		}
	}
	for _, want := range []string{
		"SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "CLOSED",
	} {
		if states[want] == 0 {
			t.Errorf("no schedule reaches %s", want)
		}
	}
	for _, want := range []string{"send 100", "send EPIPE", "recv EAGAIN", "recv 0", "recv ECONNRESET", "shutdown 0", "shutdown ENOTCONN", "close 0", "connect 0"} {
		if answers[want] == 0 {
			t.Errorf("no call gives %s: %v", want, answers)
		}
	}
}

// What differs is found, and in the right place.
func TestCompare(t *testing.T) {
	s := &Schedule{steps: []Step{send(10, 0), wait{settled}, &segment{flags: header.ACK, length: 5}}}
	run := func() []Observation {
		data := Packet{Flags: header.ACK | header.PSH, Seq: 1, Len: 10, Ack: 1, Window: 1, WScale: -1}
		ack := Packet{Flags: header.ACK, Seq: 11, Ack: 6, Window: 1, WScale: -1}
		return []Observation{{}, {Result: "10", State: 1, Sent: []Packet{data}}, {State: 1}, {State: 1, Sent: []Packet{ack}}}
	}
	for _, tt := range []struct {
		name   string
		change func([]Observation)
		what   string
		step   int
	}{
		{"nothing", func([]Observation) {}, "", 0},
		{"result", func(o []Observation) { o[1].Result = "EPIPE" }, "result", 1},
		{"state", func(o []Observation) { o[2].State = 8 }, "state", 2},
		{"events", func(o []Observation) { o[3].Events = 1 }, "events", 3},
		{"flags", func(o []Observation) { o[1].Sent[0].Flags = header.ACK }, "sent", 1},
		{"data", func(o []Observation) { o[1].Sent[0].Bad = "byte 3 is 0x1" }, "sent", 1},
		{"no data", func(o []Observation) { o[1].Sent = nil }, "sent", 1},
		{"sent again", func(o []Observation) {
			again := o[1].Sent[0]
			again.Again = true
			o[2].Sent = append(o[2].Sent, again)
		}, "", 0},
		{"the window is open, or wider open", func(o []Observation) { o[3].Sent[0].Window = 77 }, "", 0},
		{"the window is shut", func(o []Observation) { o[1].Sent[0].Window = 0 }, "sent", 1},
		{"later", func(o []Observation) { o[3].Sent = nil }, "", 0},
		{"answered twice", func(o []Observation) {
			o[3].Sent = append(o[3].Sent, Packet{Flags: header.ACK, Seq: 11, Ack: 1, WScale: -1})
		}, "sent", 3},
	} {
		other := run()
		tt.change(other)
		d, _ := Compare(s, run(), other)
		switch {
		case d == nil && tt.what != "":
			t.Errorf("%s: not found", tt.name)
		case d != nil && (d.What != tt.what || d.Step != tt.step):
			t.Errorf("%s: %v", tt.name, d)
		}
	}
}

func TestShrink(t *testing.T) {
	s := &Schedule{}
	for n := range 40 {
		s.steps = append(s.steps, send(n, 0))
	}
	tries := 0
	few := Shrink(s, func(s *Schedule) bool {
		tries++
		var three, thirty bool
		for _, step := range s.steps {
			three = three || step.String() == "send(3)"
			thirty = thirty || step.String() == "send(30)"
		}
		return three && thirty
	})
	if got := fmt.Sprint(few.steps); got != "[send(3) send(30)]" || tries > 200 {
		t.Errorf("%s after %d tries", got, tries)
	}
}

func TestListing(t *testing.T) {
	s := &Schedule{Seed: 7, syn: synOptions{mss: 1000, wscale: -1, ts: true}, steps: []Step{&segment{flags: header.SYN, window: 1}}}
	a := []Observation{{Result: "0"}, {Sent: []Packet{{Flags: header.SYN | header.ACK, Ack: 1, MSS: 1460, WScale: 7, Window: 1}}}}
	b := []Observation{{Result: "0"}, {}}
	want := `seed 7, the peer offers <mss 1000,TS>
  0  listen()
       both   = 0  0
  1  < S next+0(0) win 1
       berth  0  > S. 0:0(0) ack 1 <mss 1460,wscale 7>
       Linux  0
step 1: sent: berth S. 0:0(0) ack 1 <mss 1460,wscale 7>, Linux nothing
`
	d := &Difference{Step: 1, What: "sent", Berth: text(a[1].Sent), Linux: text(b[1].Sent)}
	if got := Listing(s, a, b, d); got != want {
		t.Errorf("got\n%s", got)
	}
}

// The document lists what is accepted, with the reasons.
func TestDocument(t *testing.T) {
	const path, begin, end = "../../docs/linux.md", "<!-- accepted differences -->\n", "<!-- end -->\n"
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := bytes.Cut(was, []byte(begin))
	_, tail, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of its list", path)
	}
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(begin + "\n| difference | what each does |\n|---|---|\n")
	for _, a := range allAccepted {
		fmt.Fprintf(&b, "| %s | %s |\n", a.name, a.reason)
	}
	b.WriteString("\n" + end)
	b.Write(tail)
	if bytes.Equal(b.Bytes(), was) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code says; go test ./internal/judge -run Document -update", path)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
