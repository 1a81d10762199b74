package eventloop

import (
	"errors"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Loop is one goroutine that serves descriptors. Its methods may be called from
// any goroutine, but where they say otherwise.
type Loop struct {
	slots  slots
	queue  queue
	timers timers // the loop's goroutine's
	epoll  int
	waker  int // an eventfd
	over   chan struct{}
}

// atOnce is how many descriptors one wait tells of at most.
const atOnce = 64

// New starts a loop.
func New() (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	waker, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(err, unix.Close(epoll))
	}
	l := &Loop{epoll: epoll, waker: waker, over: make(chan struct{})}
	if _, err := l.Add(waker, In, (*wakened)(l)); err != nil {
		return nil, errors.Join(err, unix.Close(waker), unix.Close(epoll))
	}
	go l.run()
	return l, nil
}

// Add has h called when a descriptor is ready. The descriptor stays the caller's,
// who removes it before it is closed.
func (l *Loop) Add(fd int, e Events, h Handler) (ID, error) {
	id := l.slots.add(fd, h)
	if err := l.control(unix.EPOLL_CTL_ADD, fd, e, id); err != nil {
		l.slots.remove(id)
		return 0, err
	}
	return id, nil
}

// Change makes e what the descriptor is watched for.
func (l *Loop) Change(id ID, e Events) error {
	fd, _, ok := l.slots.find(id)
	if !ok {
		return unix.ENOENT
	}
	return l.control(unix.EPOLL_CTL_MOD, fd, e, id)
}

// Remove ends an Add. On the loop's goroutine the handler is not called again;
// otherwise it may be running when Remove returns. An ID that is gone is no error.
func (l *Loop) Remove(id ID) {
	fd, _, ok := l.slots.find(id)
	if ok && l.slots.remove(id) {
		_ = l.control(unix.EPOLL_CTL_DEL, fd, 0, 0) // a descriptor that is closed is out already
	}
}

// Forget is Remove for a descriptor that is closed next and that nobody has a copy
// of: closing takes it out.
func (l *Loop) Forget(id ID) { l.slots.remove(id) }

func (l *Loop) control(op, fd int, e Events, id ID) error {
	ev := unix.EpollEvent{Events: uint32(e), Fd: int32(uint32(id)), Pad: int32(id >> 32)} // the 64 bits of epoll_data
	return unix.EpollCtl(l.epoll, op, fd, &ev)
}

// Poll implements link.Poller.
func (l *Loop) Poll(fd int, read func() (again bool)) (stop func(), err error) {
	p := &polled{loop: l, read: read}
	// The handler may be called before its ID is known.
	l.Do(func() { p.id, err = l.Add(fd, In, p) })
	if err != nil {
		return nil, err
	}
	return func() { l.Do(func() { l.Remove(p.id) }) }, nil
}

// polled is a descriptor of Poll.
type polled struct {
	loop *Loop
	id   ID
	read func() bool
}

// Ready implements Handler.
func (p *polled) Ready(Events) {
	if !p.read() {
		p.loop.Remove(p.id)
	}
}

// Post has r run on the loop's goroutine, soon; in the order of the calls. It is
// false if the loop is closed.
func (l *Loop) Post(r Runner) bool {
	wake, ok := l.queue.post(r)
	if wake {
		l.wake()
	}
	return ok
}

func (l *Loop) wake() {
	one := [8]byte{1}
	_, _ = unix.Write(l.waker, one[:]) // one that is full is readable
}

// Do runs f on the loop's goroutine, and waits for it; on the caller's if the loop
// is closed. It must not be called on the loop's.
func (l *Loop) Do(f func()) {
	done := make(chan struct{})
	if l.Post(Func(func() { defer close(done); f() })) {
		<-done
		return
	}
	<-l.over
	f()
}

// At has t's Runner run at a time, and no longer at any other. It is called on the
// loop's goroutine.
func (l *Loop) At(t *Timer, at time.Time) { l.timers.set(t, at) }

// Stop disarms a timer. It is called on the loop's goroutine.
func (l *Loop) Stop(t *Timer) { l.timers.stop(t) }

// Close ends the loop once what was posted is done, and waits for that. No handler
// is called after it. A second Close does nothing.
func (l *Loop) Close() error {
	if !l.queue.close() {
		<-l.over
		return nil
	}
	l.wake()
	<-l.over
	return errors.Join(unix.Close(l.epoll), unix.Close(l.waker))
}

// run takes turns until the loop is closed.
func (l *Loop) run() {
	defer close(l.over)
	var events [atOnce]unix.EpollEvent
	var breath breather
	for {
		if breath.due(time.Now) {
			runtime.Gosched()
		}
		l.turn()
		if l.queue.over() {
			return
		}
		for _, ev := range events[:l.wait(events[:])] {
			id := ID(uint32(ev.Fd)) | ID(uint32(ev.Pad))<<32
			if _, h, ok := l.slots.find(id); ok {
				h.Ready(Events(ev.Events))
			}
		}
	}
}

// turn does what was posted, and what is due.
func (l *Loop) turn() {
	due := l.queue.take()
	for _, r := range due {
		r.Run()
	}
	l.queue.giveBack(due)
	if len(l.timers) == 0 {
		return
	}
	now := time.Now()
	for t := l.timers.due(now); t != nil; t = l.timers.due(now) {
		t.Runner.Run()
	}
}

// wait waits until a descriptor is ready, something was posted, or a time has come,
// and returns how many descriptors are.
func (l *Loop) wait(events []unix.EpollEvent) int {
	if !l.queue.sleep() {
		return pollNow(l.epoll, events)
	}
	defer l.queue.awake()
	limit := -1
	if len(l.timers) > 0 {
		limit = l.timers.wait(time.Now())
	}
	n, err := unix.EpollWait(l.epoll, events, limit)
	if err != nil { // EINTR
		return 0
	}
	return n
}

// pollNow is epoll_wait that does not wait, so that Go's scheduler need not know.
func pollNow(epoll int, events []unix.EpollEvent) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll),
		uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// wakened is what the loop is to its eventfd.
type wakened Loop

// Ready implements Handler.
func (w *wakened) Ready(Events) {
	var b [8]byte
	_, _ = unix.Read(w.waker, b[:])
}
