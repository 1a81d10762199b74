package runner

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/policy"
	"example.com/berth/link/impair"
	cable "example.com/berth/link/wire"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// A drawn is a program's host and one that answers for all destinations, with lines
// between them.
type drawn struct {
	t       *testing.T
	program *berth.Host
	lines   *lines
	special []*policy.Line
}

func drawLines(t *testing.T, general impair.Config, texts ...string) *drawn {
	t.Helper()
	d := &drawn{t: t}
	names := policy.New(policy.Config{Hosts: map[string][]netip.Addr{"slow.example": {netip.MustParseAddr("203.0.113.3")}}})
	inside, outside := cable.Pair()
	var err error
	d.lines, err = newLines(outside, ways{general, general}, func(f policy.Flow) int { return names.Line(time.Now(), f, d.special) })
	if err != nil {
		t.Fatal(err)
	}
	d.draw(texts...)
	d.program = berth.NewHost(berth.Config{})
	gate := berth.NewHost(berth.Config{Forwarder: func(f *berth.Flow) {
		if f.Protocol != socket.IPPROTO_TCP {
			f.Drop()
		} else if s, err := f.Accept(); err == nil {
			s.Close()
		}
	}})
	t.Cleanup(func() { d.program.Close(); gate.Close() })
	if _, err := d.program.Attach(inside, "192.0.0.2/29"); err != nil {
		t.Fatal(err)
	}
	if _, err := gate.Attach(d.lines, "192.0.0.1/29"); err != nil {
		t.Fatal(err)
	}
	if err := d.program.AddRoute(berth.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("192.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	return d
}

// draw makes the special lines those.
func (d *drawn) draw(texts ...string) {
	d.t.Helper()
	d.special = nil
	var each []ways
	for _, text := range texts {
		l, err := policy.ParseLine(text)
		if err != nil {
			d.t.Fatal(err)
		}
		down, up := l.Configs(1)
		d.special, each = append(d.special, l), append(each, ways{down, up})
	}
	if err := d.lines.set(each); err != nil {
		d.t.Fatal(err)
	}
}

// connects is how long a connection takes to be there: a round trip.
func (d *drawn) connects(to string) time.Duration {
	d.t.Helper()
	begin := time.Now()
	c, err := (&netconn.Dialer{Provider: d.program}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		d.t.Fatal(err)
	}
	took := time.Since(begin)
	c.Close()
	return took
}

// Each destination has the line that is its own, both ways.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drawLines(t, impair.Config{Delay: 5 * time.Millisecond},
			"slow.example: delay=300ms",
			"203.0.113.0/24:22: delay=40ms",
			"tcp/203.0.113.4: profile=perfect",
			"203.0.113.7: profile=3G",
		)
		for to, want := range map[string]time.Duration{
			"203.0.113.3:80": 600 * time.Millisecond,
			"203.0.113.3:22": 600 * time.Millisecond, // the first that leads there
			"203.0.113.4:80": 0,
			"203.0.113.4:22": 80 * time.Millisecond,
			"203.0.113.5:80": 10 * time.Millisecond, // the general one
		} {
			if got := d.connects(to); got != want {
				t.Errorf("%s is there after %v, want %v", to, got, want)
			}
		}
		// Of 3G the round trip is 300 ms, and the packets take their time at the rate.
		if got := d.connects("203.0.113.7:80"); got < 300*time.Millisecond || got > 310*time.Millisecond {
			t.Errorf("by 3G it is there after %v", got)
		}
	})
}

// What is lost of one destination's packets is lost of no other's.
func TestLinesThatLose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drawLines(t, impair.Config{}, "203.0.113.9: loss=100%")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if c, err := (&netconn.Dialer{Provider: d.program}).DialContext(ctx, "tcp", "203.0.113.9:80"); err == nil {
			c.Close()
			t.Error("a connection crosses a line that loses all")
		}
		d.connects("203.0.113.8:80")
		lossy, general := d.lines.legs[1].InputStats(), d.lines.legs[0].InputStats()
		if lossy.Packets == 0 || lossy.Passed != 0 || general.Passed != general.Packets || general.Packets == 0 {
			t.Errorf("the one line: %+v\nthe other: %+v", lossy, general)
		}
	})
}

// Lines can be drawn anew, also more of them and none.
func TestLinesThatChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drawLines(t, impair.Config{})
		for _, tt := range []struct {
			lines       []string
			one, second time.Duration
		}{
			{nil, 0, 0},
			{[]string{"203.0.113.1: delay=10ms"}, 20 * time.Millisecond, 0},
			{[]string{"203.0.113.2: delay=30ms", "203.0.113.1: delay=40ms"}, 80 * time.Millisecond, 60 * time.Millisecond},
			{[]string{"203.0.113.2: delay=1ms"}, 0, 2 * time.Millisecond},
			{nil, 0, 0},
		} {
			time.Sleep(time.Second) // in which what is on its way arrives
			d.draw(tt.lines...)
			if one, second := d.connects("203.0.113.1:80"), d.connects("203.0.113.2:80"); one != tt.one || second != tt.second {
				t.Errorf("%v: %v and %v, want %v and %v", tt.lines, one, second, tt.one, tt.second)
			}
		}
	})
}
