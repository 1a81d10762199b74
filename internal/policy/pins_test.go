package policy

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func resolve(t *testing.T, p *Policy, now time.Time, host, addr string, ttl int) Answer {
	t.Helper()
	q := p.Question(now, ask(t, host+" A", false), false)
	if q.Forward == nil {
		t.Fatalf("%s: %+v", host, q.Verdict)
	}
	return p.Answer(now, q, reply(t, q, fmt.Sprintf("%s %d A %s", host, ttl, addr)))
}

func TestPinsEnd(t *testing.T) {
	f, _ := flowOf(t, "tcp 203.0.113.5:443")
	for _, tt := range []struct {
		ttl  int
		last time.Duration
	}{
		{0, minPin + grace}, {1, minPin + grace}, {300, 300*time.Second + grace}, {999999, maxPin + grace},
	} {
		p := New(Config{Rules: rulesOf(t, "a.example")})
		resolve(t, p, epoch, "a.example", "203.0.113.5", tt.ttl)
		if v := p.Decide(epoch.Add(tt.last-1), f); !v.Allow {
			t.Errorf("ttl %d: %+v", tt.ttl, v)
		}
		if v := p.Decide(epoch.Add(tt.last), f); v.Allow || p.Stats().Pins != 0 {
			t.Errorf("ttl %d: %+v, %d pins", tt.ttl, v, p.Stats().Pins)
		}
	}
	// A second answer holds from then on, and never shortens the first.
	p := New(Config{Rules: rulesOf(t, "a.example")})
	resolve(t, p, epoch, "a.example", "203.0.113.5", 300)
	resolve(t, p, epoch, "a.example", "203.0.113.5", 1)
	if v := p.Decide(epoch.Add(300*time.Second), f); !v.Allow {
		t.Errorf("%+v", v)
	}
	// A flow.
	p = New(Config{Rules: rulesOf(t, "a.example")})
	resolve(t, p, epoch, "a.example", "203.0.113.5", 1)
	v := p.Decide(epoch, f)
	second := f
	second.Src = netip.MustParseAddrPort("10.200.0.2:40001")
	p.Begin(f, v)
	p.Begin(f, v) // once too often is harmless
	p.Begin(second, v)
	day := epoch.Add(24 * time.Hour)
	p.End(epoch, f)
	p.End(epoch, f)
	if v := p.Decide(day, f); !v.Allow {
		t.Errorf("%+v", v)
	}
	p.End(day, second)
	if v := p.Decide(day.Add(afterUse-1), f); !v.Allow {
		t.Errorf("%+v", v)
	}
	if v := p.Decide(day.Add(afterUse), f); v.Allow {
		t.Errorf("%+v", v)
	}
	p.Begin(f, v) // of a pin that is no more
	p.End(day, f)
	if len(p.flows) != 0 {
		t.Errorf("%d flows", len(p.flows))
	}
}

func TestRebinding(t *testing.T) {
	p := New(Config{Rules: rulesOf(t, "a.example")})
	resolve(t, p, epoch, "a.example", "203.0.113.5", 1)
	a := resolve(t, p, epoch.Add(time.Second), "a.example", "127.0.0.1", 1)
	if len(a.Addrs) != 0 || len(a.Removed) != 1 {
		t.Errorf("%+v", a)
	}
	f, _ := flowOf(t, "tcp 127.0.0.1:80")
	if v := p.Decide(epoch.Add(time.Second), f); v.Allow {
		t.Errorf("%+v", v)
	}
	// Nor after a reload that allows more names.
	p.Reload(rulesOf(t, "*.example"))
	if v := p.Decide(epoch.Add(time.Second), f); v.Allow {
		t.Errorf("%+v", v)
	}
	f, _ = flowOf(t, "tcp 203.0.113.5:80")
	if v := p.Decide(epoch.Add(time.Second), f); !v.Allow {
		t.Errorf("what a name means is lost: %+v", v)
	}
}

func TestManyNamesBelowAWildcard(t *testing.T) {
	p := New(Config{Rules: rulesOf(t, "*.example:443", "b.test")})
	refused := func(now time.Time, host string) bool {
		return p.Question(now, ask(t, host+" TXT", false), false).Forward == nil
	}
	for i := range freshNames {
		if refused(epoch, fmt.Sprintf("n%d.example", i)) {
			t.Fatalf("%d is refused", i)
		}
	}
	if !refused(epoch, "one-more.example") || refused(epoch, "n0.example") || refused(epoch, "b.test") {
		t.Error("the wrong names are refused")
	}
	if refused(epoch.Add(freshEvery), "one-more.example") || !refused(epoch.Add(freshEvery), "another.example") {
		t.Error("there is not one more after a while")
	}
	if refused(epoch.Add(freshEvery), "_443._tcp.b.test") {
		t.Error("a service is refused")
	}
	p.Reload(rulesOf(t, "*.example:443"))
	if !refused(epoch.Add(freshEvery), "another.example") || len(p.budgets) != 1 {
		t.Error("a reload fills the budgets")
	}
	now := epoch
	for i := range 2 * rememberedNames {
		now = now.Add(freshEvery)
		refused(now, fmt.Sprintf("m%d.example", i))
	}
	if n := len(p.budgets["*.example:443"].asked); n > rememberedNames {
		t.Errorf("%d names are remembered", n)
	}
}

func TestPinsAreBounded(t *testing.T) {
	var p pins
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxNames {
		p.add(epoch, addr(0), fmt.Sprint("n", i), epoch.Add(time.Minute))
	}
	if p.add(epoch, addr(0), "one more", epoch.Add(time.Minute)) {
		t.Error("one address has too many names")
	}
	if !p.add(epoch.Add(time.Minute), addr(0), "one more", epoch.Add(time.Hour)) || p.count != 1 {
		t.Errorf("names that are over take room: %d", p.count)
	}
	for i := 1; p.count < maxPins; i++ {
		p.add(epoch, addr(i), "a.example", epoch.Add(time.Duration(i)*time.Hour))
	}
	p.hold(addr(1), "a.example")
	// The one that is in use stays, those that end first go.
	if !p.add(epoch.Add(time.Minute), addr(1<<20), "b.example", epoch.Add(time.Hour)) {
		t.Error("there is no room for one more")
	}
	if p.find(addr(1), "a.example") == nil || p.find(addr(2), "a.example") != nil || p.evicted == 0 || p.count > maxPins {
		t.Errorf("%d pins, %d evicted", p.count, p.evicted)
	}
	// Full of what is in use.
	for a, all := range p.of {
		for _, one := range all {
			p.hold(a, one.name)
		}
	}
	for i := 1 << 21; p.count < maxPins; i++ {
		p.add(epoch, addr(i), "a.example", time.Time{})
	}
	if p.add(epoch.Add(time.Hour), addr(1<<22), "a.example", epoch.Add(2*time.Hour)) {
		t.Error("what is in use made room")
	}
}
