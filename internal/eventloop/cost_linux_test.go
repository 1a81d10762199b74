package eventloop

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/berth/link/linktest"
)

// hotPaths are what a loop does all the time. Each is done, and waited for, by a call.
func hotPaths(tb testing.TB) map[string]func() {
	l := newLoop(tb)
	done := make(chan struct{}, 1)

	posted := &runner{func() { done <- struct{}{} }}
	ours, theirs := pair(tb)
	var b [8]byte
	if _, err := l.Add(ours, In, on(func(Events) {
		unix.Read(ours, b[:])
		done <- struct{}{}
	})); err != nil {
		tb.Fatal(err)
	}
	var due, later Timer
	due.Runner, later.Runner = posted, posted
	arms := &runner{func() {
		l.At(&later, time.Now().Add(time.Hour))
		l.At(&due, time.Now())
		l.Stop(&later)
	}}
	one := []byte("1")
	return map[string]func(){
		"post":  func() { l.Post(posted); <-done },
		"event": func() { unix.Write(theirs, one); <-done },
		"timer": func() { l.Post(arms); <-done },
	}
}

type runner struct{ f func() }

func (r *runner) Run() { r.f() }

func TestNoAllocs(t *testing.T) {
	for name, do := range hotPaths(t) {
		t.Run(name, func(t *testing.T) { linktest.NoAllocs(t, do) })
	}
}

func BenchmarkLoop(b *testing.B) {
	for name, do := range hotPaths(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}
