package rtnl

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Do runs f on a thread that is in the namespace. Sockets and devices that f
// opens belong to the namespace wherever they are used later.
func (ns Namespace) Do(f func() error) error {
	if !ns.set {
		return f()
	}
	fd := ns.fd
	if ns.path != "" {
		var err error
		if fd, err = unix.Open(ns.path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("%v: %w: %w", ns, ErrNamespace, err)
		}
		defer unix.Close(fd)
	}
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and nobody else
		// finds himself in the namespace.
		runtime.LockOSThread()
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("%v: %w: %w", ns, ErrNamespace, err)
			return
		}
		result <- f()
	}()
	return <-result
}
