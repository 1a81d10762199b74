package limits

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations of futex(2) within a process.
const (
	futexWait = 0 | 128
	futexWake = 1 | 128
)

func futex(addr *uint32, op, val uintptr) {
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), op, val, 0, 0, 0)
}

// futexes passes a turn between two threads n times there and back.
func futexes(n int) {
	var forth, back uint32
	play := func(wait, wake *uint32, first bool) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		pass := func() {
			atomic.StoreUint32(wake, 1)
			futex(wake, futexWake, 1)
		}
		for range n {
			if first {
				pass()
			}
			for !atomic.CompareAndSwapUint32(wait, 1, 0) {
				futex(wait, futexWait, 0)
			}
			if !first {
				pass()
			}
		}
	}
	var other sync.WaitGroup
	other.Go(func() { play(&forth, &back, false) })
	play(&back, &forth, true)
	other.Wait()
}
