package lab_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/berth/lab"
)

// Without a bubble the lab runs on the wall clock, and Close ends all of it.
func TestWallClock(t *testing.T) {
	n := lab.New(nil)
	_, hosts := n.Star(3, lab.Delay(time.Millisecond))
	echo(t, hosts[0])
	start := time.Now()
	for _, h := range hosts[1:] {
		c := dial(t, h, "host1:7")
		for range 5 {
			exchange(t, c)
		}
		c.Close()
	}
	if d := time.Since(start); d < 2*6*4*time.Millisecond {
		t.Errorf("it took %v: less than the delays of the links", d)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for time.Since(start) < time.Minute { // goroutines that were woken by Close have to run to their ends
		if !strings.Contains(stacks(), "berth/lab.") {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("goroutines are left:\n%s", stacks())
}

func stacks() string {
	b := make([]byte, 1<<20)
	text := string(b[:runtime.Stack(b, true)])
	var others []string
	for _, g := range strings.Split(text, "\n\n") {
		if !strings.Contains(g, "testing.tRunner") {
			others = append(others, g)
		}
	}
	return strings.Join(others, "\n\n")
}
