package tcp

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGoodput measures transfers over paths of 100 Mbit/s with a queue of one
// round trip, by loss and round-trip time, and compares with a table in
// testdata: a change shows in review.
func TestGoodput(t *testing.T) {
	if raceEnabled {
		t.Skip("slow under the race detector, and races are not what it looks for")
	}
	const golden = "testdata/goodput.txt"
	losses := []float64{0, 0.001, 0.01, 0.05}
	rtts := []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}
	var b strings.Builder
	fmt.Fprintf(&b, "Goodput in Mbit/s of 4 MiB over 100 Mbit/s with CUBIC, the mean of two.\n\n%8s", "loss")
	for _, rtt := range rtts {
		fmt.Fprintf(&b, "%12s", rtt)
	}
	for _, sack := range []bool{true, false} {
		fmt.Fprintf(&b, "\nSACK %v\n", sack)
		for _, loss := range losses {
			fmt.Fprintf(&b, "%7.2f%%", loss*100)
			for _, rtt := range rtts {
				fmt.Fprintf(&b, "%12.1f", goodput(t, loss, rtt, sack))
			}
			fmt.Fprintln(&b)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("go test -run TestGoodput -update writes\n%s\nwas\n%s", &b, want)
	}
}

func goodput(t *testing.T, loss float64, rtt time.Duration, sack bool) float64 {
	const size, runs = 4 << 20, 2
	var took time.Duration
	for seed := range uint64(runs) {
		took += transfer(t, seed, size, loss, rtt, sack)
	}
	return runs * float64(size) * 8 / took.Seconds() / 1e6
}

// transfer returns how long it takes to send size bytes.
func transfer(t *testing.T, seed uint64, size int, loss float64, rtt time.Duration, sack bool) time.Duration {
	ch := newChannel(t, seed)
	ch.delay, ch.rate, ch.loss = rtt/2, 12_500_000, loss
	ch.queue = max(rtt, 5*time.Millisecond)
	ch.noSACK = !sack
	ch.ends[0].send = size
	start := ch.now
	ch.connect(1500, 0)
	for ch.ends[1].c == nil || !ch.ends[1].eof {
		if !ch.step() {
			t.Fatal(ch.describe())
		}
	}
	return ch.now - start
}
