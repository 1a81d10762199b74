package labrun

import (
	"errors"
	"math"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/labfile"
)

// quietly is a Printer that keeps lines.
type quietly struct{ lines []Line }

func (q *quietly) Begin(*Scene) error { return nil }
func (q *quietly) End(*Result) error  { return nil }
func (q *quietly) Line(l *Line) error { q.lines = append(q.lines, *l); return nil }

// TestLogOrdersAnInstant has lines of one instant stand in the order of commands,
// whichever came first.
func TestLogOrdersAnInstant(t *testing.T) {
	q := &quietly{}
	l := &log{show: q, gather: true}
	for _, one := range []Line{
		{At: 1, Command: 2, Text: "c"},
		{At: 1, Command: -1, Text: "a"},
		{At: 1, Command: 2, Text: "d", part: 1},
		{At: 1, Command: 0, Text: "b"},
		{At: 2, Command: 0, Text: "f"},
		{At: 2, Command: -1, Text: "e"},
	} {
		l.add(one)
	}
	if len(q.lines) != 4 {
		t.Errorf("%d lines are shown before the instant is over", len(q.lines))
	}
	l.end()
	got := ""
	for _, one := range q.lines {
		got += one.Text
	}
	if got != "abcdef" {
		t.Errorf("order %s", got)
	}
}

func TestFlowCountsWhatWasThereBefore(t *testing.T) {
	f := &flow{}
	f.arrived(1, 10)
	f.arrived(2, 5)
	f.arrived(2, 5)
	if a, b := f.before(2), f.before(3); a != 10 || b != 20 {
		t.Errorf("%d before 2, %d before 3", a, b)
	}
}

func TestOrderOfDatagrams(t *testing.T) {
	var o order
	for _, d := range []struct {
		seq     uint32
		transit time.Duration
		first   bool
	}{{0, 10, true}, {2, 26, true}, {1, 10, true}, {2, 10, false}, {200, 10, true}} {
		if got := o.see(d.seq, d.transit); got != d.first {
			t.Errorf("datagram %d: %v", d.seq, got)
		}
	}
	if o.received != 4 || o.reordered != 1 || math.Abs(o.jitter-(1+15./16)*15./16) > 1e-9 {
		t.Errorf("%+v", o)
	}
}

func TestPercentile(t *testing.T) {
	for _, tt := range []struct {
		p    float64
		want time.Duration
	}{{0, 1}, {0.5, 2}, {0.51, 3}, {0.95, 4}, {1, 4}} {
		if got := percentile([]time.Duration{1, 2, 3, 4}, tt.p); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.p, got, tt.want)
		}
	}
}

func TestPlainErrors(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{os.ErrDeadlineExceeded, "timed out"},
		{&net.OpError{Op: "dial", Addr: addr, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "connect to 10.0.0.1:80: connection refused"},
		{&net.OpError{Op: "read", Addr: addr, Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "read: connection reset by peer"},
		{errNoAnswer, "no answer"},
	} {
		if got := plain(tt.err); got.Error() != tt.want || !errors.Is(got, tt.err) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if plain(nil) != nil {
		t.Error("no error is one")
	}
}

// TestALabOfManyHosts runs a command on each of many hosts, all at one instant.
func TestALabOfManyHosts(t *testing.T) {
	text := "time: fake\ntopology: {lan: 60, link: {delay: 1ms, loss: 5%}}\nrun:\n"
	for i := range 50 {
		text += "  - http: {on: host" + string(rune('1'+i%9)) + ", to: host10, count: 2}\n"
	}
	var before []Line
	for range 3 {
		f, err := labfile.Parse("many", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		q := &quietly{}
		r, err := Play(t.Context(), f, Options{Show: q, Record: -1})
		if err != nil || !r.OK() {
			t.Fatal(err, r.Failures())
		}
		for i := range before {
			if a, b := before[i], q.lines[i]; a.At != b.At || a.Text != b.Text || a.Name != b.Name {
				t.Fatalf("line %d was %v %s %s, and is %v %s %s", i, a.At, a.Name, a.Text, b.At, b.Name, b.Text)
			}
		}
		before = q.lines
	}
}
