package impair_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/berth/link/impair"
)

func parse(t testing.TB, s string) *impair.Trace {
	t.Helper()
	trace, err := impair.ParseTrace(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func TestParseTrace(t *testing.T) {
	for _, tt := range []struct {
		text   string
		length time.Duration
		rate   int64
		err    string
	}{
		{"1\n", ms, 12 * mbit, ""},
		{"1", ms, 12 * mbit, ""},
		{"0\r\n0\r\n3\r\n12\r\n", 12 * ms, 4 * mbit, ""},
		{"", 0, 0, "impair: the trace has no line"},
		{"0\n0\n", 0, 0, "impair: trace, line 2: a trace that ends at 0 lasts no time"},
		{"1\n\n2\n", 0, 0, `impair: trace, line 2: "" is not a number of milliseconds`},
		{"1\nx\n", 0, 0, `impair: trace, line 2: "x" is not a number of milliseconds`},
		{"-1\n", 0, 0, `impair: trace, line 1: "-1" is not a number of milliseconds`},
		{"1.5\n", 0, 0, `impair: trace, line 1: "1.5" is not a number of milliseconds`},
		{"1\n7\n5\n", 0, 0, "impair: trace, line 3: 5 comes after 7: times do not run backwards"},
		{"864000001\n", 0, 0, "impair: trace, line 1: 864000001 ms are more than ten days"},
		{"1\n" + strings.Repeat("9", 1000), 0, 0, `impair: trace, line 2: "9999999999999999999999999999999999999999"... is not a number of milliseconds`},
		{"1\n" + strings.Repeat("9", 100000), 0, 0, "impair: trace, line 2: bufio.Scanner: token too long"},
	} {
		trace, err := impair.ParseTrace(strings.NewReader(tt.text))
		switch {
		case tt.err != "":
			if err == nil || err.Error() != tt.err {
				t.Errorf("%.20q: %v, want %s", tt.text, err, tt.err)
			}
		case err != nil:
			t.Errorf("%.20q: %v", tt.text, err)
		case trace.Length() != tt.length || trace.Rate() != tt.rate:
			t.Errorf("%.20q: %v at %d bit/s, want %v at %d", tt.text, trace.Length(), trace.Rate(), tt.length, tt.rate)
		}
	}
}

func TestParseTraceOfABrokenFile(t *testing.T) {
	broken := errors.New("broken")
	_, err := impair.ParseTrace(io.MultiReader(strings.NewReader("1\n2\n"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "line 3") {
		t.Error(err)
	}
}

func TestATraceTooLong(t *testing.T) {
	_, err := impair.ParseTrace(bytes.NewReader(bytes.Repeat([]byte("1\n"), 1<<22+1)))
	if err == nil || err.Error() != "impair: trace, line 4194305: more than 4194304 lines" {
		t.Error(err)
	}
}

func TestDeliveryOpportunities(t *testing.T) {
	us := time.Microsecond
	for _, tt := range []struct {
		name    string
		trace   string
		packets []packet
	}{
		{"a packet for each opportunity", "2\n5\n10\n", []packet{
			{0, 1500, 2 * ms, ""},
			{0, 1500, 5 * ms, ""},
			{0, 1500, 10 * ms, ""},
			{0, 1500, 12 * ms, "and from the beginning"},
			{0, 1500, 15 * ms, ""},
			{0, 1500, 20 * ms, ""},
			{0, 1500, 22 * ms, ""},
		}},
		{"what nobody uses is lost", "2\n5\n10\n", []packet{
			{0, 1500, 2 * ms, ""},
			{6 * ms, 1500, 10 * ms, "the one at 5 was for nobody"},
			{3 * time.Hour, 1500, 3*time.Hour + 2*ms, "a whole number of rounds later"},
		}},
		{"at the very time is too late", "2\n5\n10\n", []packet{
			{2 * ms, 1500, 5 * ms, ""},
			{10 * ms, 1500, 12 * ms, ""},
			{20*ms - us, 1500, 20 * ms, ""},
		}},
		{"several small ones", "2\n5\n", []packet{
			{0, 500, 2 * ms, ""},
			{0, 500, 2 * ms, ""},
			{0, 500, 2 * ms, ""},
			{0, 1, 5 * ms, ""},
		}},
		{"parts", "2\n5\n", []packet{
			{0, 1000, 2 * ms, ""},
			{0, 1000, 5 * ms, "500 at 2, and 500 at 5"},
			{0, 1000, 5 * ms, ""},
			{0, 1, 7 * ms, ""},
		}},
		{"what is left of one is not for who comes later", "2\n5\n", []packet{
			{0, 500, 2 * ms, ""},
			{3 * ms, 500, 5 * ms, ""},
		}},
		{"a long one", "1\n", []packet{
			{0, 9000, 6 * ms, ""},
			{0, 1500, 7 * ms, ""},
		}},
		{"several at one time", "3\n3\n3\n", []packet{
			{0, 1500, 3 * ms, ""},
			{0, 1500, 3 * ms, ""},
			{0, 1500, 3 * ms, ""},
			{0, 1500, 6 * ms, ""},
		}},
		{"at time zero", "0\n4\n", []packet{
			{0, 1500, 4 * ms, "too late for the first"},
			{0, 1500, 4 * ms, "the one of the next round"},
			{0, 1500, 8 * ms, ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantDues(t, impair.Config{Trace: parse(t, tt.trace)}, tt.packets)
		})
	}
}

func TestATraceHasAQueueAndADelay(t *testing.T) {
	cfg := impair.Config{Trace: parse(t, "1\n"), Queue: 3000, Delay: 20 * ms}
	wantDues(t, cfg, []packet{
		{0, 1500, 21 * ms, ""}, {0, 1500, 22 * ms, ""}, {0, 1, -1, "no room"}, {1 * ms, 1500, 23 * ms, "one is sent"},
	})
}

func TestFromARateToATraceAndBack(t *testing.T) {
	l := newLine(t, impair.Config{Rate: 12 * mbit})
	push := func(now time.Duration) { l.Push(now, texts(strings.Repeat("x", 1500))) }
	push(0)
	push(0)
	l.Configure(impair.Config{Trace: parse(t, "10\n")})
	push(0)
	var at []time.Duration
	step := func() {
		next, _ := l.Next()
		at = append(at, next)
		taken(l, next, 9)
	}
	step()
	step() // the queue moves at 10 ms, though what moves leaves at once
	l.Configure(impair.Config{Rate: 12 * mbit})
	step()
	step()
	if got := fmt.Sprint(at); got != "[1ms 10ms 10ms 11ms]" || l.Stats().OnTheWay != 0 {
		t.Errorf("moves at %v, %+v", got, l.Stats())
	}
}

func FuzzParseTrace(f *testing.F) {
	for _, s := range []string{"", "1\n", "0\n1\n1\n5", "5\n1\n", "x", "\n", "1\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		trace, err := impair.ParseTrace(strings.NewReader(s))
		if err != nil {
			return
		}
		if trace.Length() <= 0 || trace.Rate() < 0 {
			t.Fatalf("%v at %d bit/s", trace.Length(), trace.Rate())
		}
		l := newLine(t, impair.Config{Trace: trace})
		l.Push(time.Hour, texts("a", "b"))
		before := time.Duration(0)
		for at, ok := l.Next(); ok; at, ok = l.Next() {
			if at <= time.Hour || at > time.Hour+2*trace.Length() || at < before {
				t.Fatalf("moves at %v, with a trace of %v", at, trace.Length())
			}
			before = at
			taken(l, at, 1)
		}
		if st := l.Stats(); st.Passed != 2 {
			t.Fatalf("counted %+v", st)
		}
	})
}
