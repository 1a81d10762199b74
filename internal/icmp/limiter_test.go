package icmp

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

const start = time.Hour

// one makes each message cost one token.
func one() uint64 { return 1 }

func host(i int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24|uint32(i))))
}

// DEF-42.
func TestADestinationGetsItsBurstAndThenItsRate(t *testing.T) {
	l := NewLimiter(Limits{}, one)
	allowed := func(now time.Duration, tries int) int {
		n := 0
		for range tries {
			if l.Allow(now, host(1)) {
				n++
			}
		}
		return n
	}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{
		{0, 6},
		{999 * time.Millisecond, 0},
		{time.Second, 1},
		{3500 * time.Millisecond, 2},
		{4 * time.Second, 1},
		{3 * time.Second, 0}, // time does not go back
		{4 * time.Second, 0},
		{24 * 365 * time.Hour, 6},
	} {
		if got := allowed(start+tt.after, 100); got != tt.want {
			t.Errorf("after %v: %d messages, want %d", tt.after, got, tt.want)
		}
	}
	if c := l.Counters(); c.Allowed != 16 || c.HostLimited != 8*100-16 || c.Limited != 0 {
		t.Errorf("%+v", c)
	}
}

func TestTheHostHasALimitForAll(t *testing.T) {
	l := NewLimiter(Limits{Rate: 100, Burst: 20}, one)
	count := func(now time.Duration) int {
		n := 0
		for i := range 1000 {
			if l.Allow(now, host(i)) {
				n++
			}
		}
		return n
	}
	if got := count(start); got != 20 {
		t.Errorf("a burst of %d", got)
	}
	if got := count(start + 100*time.Millisecond); got != 10 {
		t.Errorf("%d in a tenth of a second", got)
	}
	if c := l.Counters(); c.Limited == 0 || c.HostLimited != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWhatTheDestinationIsRefusedCostsTheHostNothing(t *testing.T) {
	l := NewLimiter(Limits{Burst: 10}, one)
	for range 1000 {
		l.Allow(start, host(1))
	}
	n := 0
	for i := range 20 {
		if l.Allow(start, host(2+i)) {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d left of 10 for others, want 4", n)
	}
}

func TestTheTableIsBounded(t *testing.T) {
	l := NewLimiter(Limits{Rate: 1 << 20, Burst: 1 << 20, Hosts: 100}, one)
	for i := range 100_000 {
		l.Allow(start, host(i))
		// One in use is not forgotten for the sake of others.
		l.Allow(start, host(0xffffff))
	}
	if len(l.hosts) != 100 {
		t.Errorf("%d destinations", len(l.hosts))
	}
	c := l.Counters()
	if c.Forgotten != 100_001-100 {
		t.Errorf("%d forgotten", c.Forgotten)
	}
	if c.Allowed != 100_000+6 {
		t.Errorf("%d allowed", c.Allowed)
	}
	if n := l.byUse.Count(); n != 100 {
		t.Errorf("%d in the list", n)
	}
}

// SAD DNS: an attacker sends 50 probes in the name of others, of which one may
// meet an open port and cause no answer, and then counts the answers to probes
// of his own. He must not be able to tell the two cases apart, whether he forges
// one name or many.
//
// DEF-42.
func TestTheGlobalLimitTellsNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const rounds = 2000
	for _, forged := range []int{1, 50} {
		var seen [2][100]int // answers to the attacker, by whether a port was open
		for range rounds {
			for open := range 2 {
				l := NewLimiter(Limits{}, r.Uint64)
				for i := range 50 - open {
					l.Allow(start, host(i%forged))
				}
				answers := 0
				for i := range 99 {
					if l.Allow(start, host(100+i)) {
						answers++
					}
				}
				seen[open][answers]++
			}
		}
		// How often the best guess from a count is right; half is chance.
		right := 0
		for n := range 100 {
			right += max(seen[0][n], seen[1][n])
		}
		if share := float64(right) / (2 * rounds); share > 0.57 {
			t.Errorf("%d forged names: an attacker is right %.0f %% of the time", forged, 100*share)
		}
	}
}

func TestAllowDoesNotAllocate(t *testing.T) {
	l := NewLimiter(Limits{Hosts: 8}, one)
	var hosts [16]netip.Addr
	for i := range hosts {
		hosts[i] = host(i)
	}
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		l.Allow(start, hosts[i%16])
		i++
	}); n > 0.1 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAllow(b *testing.B) {
	l := NewLimiter(Limits{}, one)
	var hosts [4096]netip.Addr // four times as many as are remembered
	for i := range hosts {
		hosts[i] = host(i)
	}
	b.ReportAllocs()
	for i := range b.N {
		l.Allow(start, hosts[i%len(hosts)])
	}
}
