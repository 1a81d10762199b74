package box

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Forwarded are the signals that a person may send to the process that called
// Start and means for the program.
var Forwarded = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH,
}

// Unasked are those of them that nobody sends to end or to interrupt something.
var Unasked = []os.Signal{unix.SIGWINCH, unix.SIGUSR1, unix.SIGUSR2}

// The first process is in the process group of its parent, as the program is. So
// when its parent tells it of a signal, it knows whether the whole group got that
// one, as a terminal sends it: then it got it, too.

const (
	// grace is how long its own copy may be on its way when the parent's word of it
	// is there.
	grace = 200 * time.Millisecond
	// memory is how long a copy is remembered for which no word has come.
	memory = time.Second
)

// own are the signals that the first process got itself.
type own struct {
	got chan receipt
	had map[os.Signal]time.Time
}

type receipt struct {
	sig os.Signal
	at  time.Time
}

func newOwn() *own {
	signals := make(chan os.Signal, 16)
	for _, s := range Forwarded {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	o := &own{got: make(chan receipt, 64), had: make(map[os.Signal]time.Time)}
	go func() {
		for s := range signals {
			select {
			case o.got <- receipt{s, time.Now()}:
			default: // no word has come of so many
			}
		}
	}()
	return o
}

// take tells whether the process got a signal of which its parent told it now.
func (o *own) take(sig syscall.Signal) bool {
	late := time.NewTimer(grace)
	defer late.Stop()
	for {
		at, had := o.had[sig]
		delete(o.had, sig)
		if had && time.Since(at) < memory {
			return true
		}
		select {
		case r := <-o.got:
			o.had[r.sig] = r.at
		case <-late.C:
			return false
		}
	}
}

// forwardable tells whether a number is that of a signal to forward.
func forwardable(sig int) bool { return slices.Contains(Forwarded, os.Signal(syscall.Signal(sig))) }
