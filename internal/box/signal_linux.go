package box

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Forwarded are the signals that a person may send to the process that called
// Start and means for the program.
var Forwarded = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH,
}

// The first process is in the process group of its parent, as the program is. It
// keeps these signals blocked. So when its parent tells it of a signal, it can see
// whether the whole group got that one, as a terminal sends it: then it has it too,
// pending.

// forwardedSet is Forwarded as the kernel takes it.
func forwardedSet() (set unix.Sigset_t) {
	const bits = 8 * int(unsafe.Sizeof(set.Val[0]))
	for _, s := range Forwarded {
		n := int(s.(syscall.Signal)) - 1
		set.Val[n/bits] |= 1 << (n % bits)
	}
	return set
}

// blockSignals blocks the signals for the calling thread, and what it starts.
func blockSignals() (restore func()) {
	set, old := forwardedSet(), unix.Sigset_t{}
	if unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old) != nil {
		return func() {}
	}
	return func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }
}

// unblockSignals is the opposite.
func unblockSignals() {
	set := forwardedSet()
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
}

// own are the signals that the first process got itself.
type own struct {
	fd  int // a signalfd
	had map[int]bool
}

func newOwn() (*own, error) {
	set := forwardedSet()
	fd, err := unix.Signalfd(-1, &set, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
	return &own{fd: fd, had: make(map[int]bool)}, err
}

// take tells whether the process got a signal since it was last asked for it.
func (o *own) take(sig int) bool {
	var info unix.SignalfdSiginfo
	b := (*[unsafe.Sizeof(info)]byte)(unsafe.Pointer(&info))[:]
	for {
		n, err := unix.Read(o.fd, b)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n != len(b) {
			break
		}
		o.had[int(info.Signo)] = true
	}
	had := o.had[sig]
	delete(o.had, sig)
	return had
}

// forwardable tells whether a number is that of a signal to forward.
func forwardable(sig int) bool {
	for _, s := range Forwarded {
		if s == syscall.Signal(sig) {
			return true
		}
	}
	return false
}
