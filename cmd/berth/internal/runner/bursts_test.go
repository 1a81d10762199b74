package runner

import (
	"slices"
	"testing"
	"time"
)

// Memory is taken once many flows begin or end, and given back when none did for a
// while.
func TestBursts(t *testing.T) {
	var did []string
	var pass func()      // the time that is waited for
	var meanwhile func() // while memory is given back
	b := &bursts{
		begin: func() { did = append(did, "bustle") },
		end: func() {
			did = append(did, "settle")
			if meanwhile != nil {
				meanwhile()
			}
		},
		after: func(d time.Duration, f func()) func() {
			if d != calm {
				t.Errorf("waits for %v", d)
			}
			pass = f
			return func() { pass = nil }
		},
	}
	flows := func(n int) {
		for range n {
			b.note()
		}
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(did, want) {
			t.Fatalf("%s: %v, want %v", what, did, want)
		}
	}
	flows(burst - 1)
	expect("a few flows")
	flows(1)
	expect("many", "bustle")
	flows(5)
	pass()
	expect("some more meanwhile", "bustle")
	pass()
	expect("none for a while", "bustle", "settle")
	flows(burst - 1)
	expect("a few flows", "bustle", "settle")
	flows(10)
	expect("many again", "bustle", "settle", "bustle")
	meanwhile = func() { flows(burst) }
	pass() // some have come since the last look
	pass()
	meanwhile = nil
	expect("many while memory is given back", "bustle", "settle", "bustle", "settle", "bustle")
	late := pass
	b.close()
	if pass != nil {
		t.Error("it waits although it is closed")
	}
	late() // it was on its way
	flows(burst)
	expect("closed", "bustle", "settle", "bustle", "settle", "bustle")
}
