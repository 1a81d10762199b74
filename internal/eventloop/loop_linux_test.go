package eventloop

import (
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newLoop(t testing.TB) *Loop {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// pair is two joined descriptors that do not block.
func pair(t testing.TB) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// on is a Handler that passes on what it is told.
type on func(Events)

func (f on) Ready(e Events) { f(e) }

func TestEventsAreTold(t *testing.T) {
	l, told := newLoop(t), make(chan Events, 10)
	a, b := pair(t)
	if _, err := l.Add(a, In|Out|End|Edge, on(func(e Events) { told <- e })); err != nil {
		t.Fatal(err)
	}
	want := func(e Events) {
		t.Helper()
		if got := <-told; got != e {
			t.Errorf("told of %x, want %x", got, e)
		}
	}
	want(Out)
	unix.Write(b, []byte("x"))
	want(In | Out)
	unix.Shutdown(b, unix.SHUT_WR)
	want(In | Out | End)
	unix.Close(b)
	if got := <-told; got&Hup == 0 {
		t.Errorf("told of %x, want the end", got)
	}
}

// Of two that are ready at once, one removes the other: that is not called any more.
func TestTheRemovedAreNotCalled(t *testing.T) {
	l := newLoop(t)
	var ids [2]ID
	calls := 0
	l.Do(func() {
		for i := range ids {
			a, b := pair(t)
			unix.Write(b, []byte("x"))
			ids[i], _ = l.Add(a, In, on(func(Events) {
				calls++
				l.Remove(ids[0])
				l.Remove(ids[1])
			}))
		}
	})
	l.Do(func() {}) // what is ready was told between the two
	l.Do(func() {
		if calls != 1 {
			t.Errorf("%d were called, want one", calls)
		}
	})
}

func TestChange(t *testing.T) {
	l, told := newLoop(t), make(chan Events, 10)
	a, _ := pair(t)
	id, err := l.Add(a, In, on(func(e Events) { told <- e }))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Change(id, Out|Edge); err != nil {
		t.Fatal(err)
	}
	if got := <-told; got != Out {
		t.Errorf("told of %x", got)
	}
	l.Remove(id)
	if err := l.Change(id, In); err != unix.ENOENT {
		t.Errorf("change of one that is gone: %v", err)
	}
	if _, err := l.Add(-1, In, on(func(Events) {})); err != unix.EBADF {
		t.Errorf("add of no descriptor: %v", err)
	}
}

// What one goroutine posts is done in its order, and all of it before Close returns.
func TestPost(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	const each = 1000
	var done [4][]int
	var posting sync.WaitGroup
	for who := range done {
		posting.Go(func() {
			for i := range each {
				l.Post(Func(func() { done[who] = append(done[who], i) }))
			}
		})
	}
	posting.Wait()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for who := range done {
		if len(done[who]) != each || !slices.IsSorted(done[who]) {
			t.Errorf("%d of %d's were done, in order: %t", len(done[who]), who, slices.IsSorted(done[who]))
		}
	}
	if l.Post(Func(func() {})) {
		t.Error("posted to a closed loop")
	}
	ran := false
	l.Do(func() { ran = true })
	if err := l.Close(); !ran || err != nil {
		t.Errorf("after Close Do ran %t; a second Close gives %v", ran, err)
	}
}

func TestTimersRun(t *testing.T) {
	l := newLoop(t)
	ran := make(chan string, 3)
	timer := func(name string) *Timer { return &Timer{Runner: Func(func() { ran <- name })} }
	l.Do(func() {
		now := time.Now()
		never := timer("never")
		l.At(timer("second"), now.Add(2*time.Millisecond))
		l.At(timer("first"), now.Add(-time.Hour))
		l.At(never, now)
		l.Stop(never)
	})
	for _, want := range []string{"first", "second"} {
		if got := <-ran; got != want {
			t.Errorf("%s ran, want %s", got, want)
		}
	}
}

// A Poller's reader is called as long as it wants, and not after stop.
func TestPoll(t *testing.T) {
	l, told := newLoop(t), make(chan int, 10)
	a, b := pair(t)
	var buf [10]byte
	stop, err := l.Poll(a, func() bool {
		n, _ := unix.Read(a, buf[:1])
		told <- n
		return n == 1
	})
	if err != nil {
		t.Fatal(err)
	}
	unix.Write(b, []byte("xy")) // told of again while there is something
	for range 2 {
		if n := <-told; n != 1 {
			t.Errorf("%d bytes", n)
		}
	}
	unix.Shutdown(b, unix.SHUT_WR)
	if n := <-told; n != 0 { // and no more: the channel would fill
		t.Errorf("%d bytes at the end", n)
	}
	stop()
	if n := len(told); n != 0 {
		t.Errorf("called %d times more", n)
	}
	if _, err := l.Poll(-1, func() bool { return true }); err != unix.EBADF {
		t.Errorf("poll of no descriptor: %v", err)
	}
}
