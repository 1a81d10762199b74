package testnet

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// missing skips the test, or fails it where nothing may be missing.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format+" (not skipped, as CI=true)", args...)
	} else {
		t.Skipf(format, args...)
	}
}

// NeedRoot skips the test unless it may make network namespaces and devices.
func NeedRoot(t testing.TB) {
	t.Helper()
	if err := inNewNamespace(func() error { return nil }); err != nil {
		missing(t, "needs root, to make a network namespace: %v", err)
	}
}

// NeedTUN skips the test unless there is a TUN driver (and NeedRoot).
func NeedTUN(t testing.TB) {
	t.Helper()
	NeedRoot(t)
	const path = "/dev/net/tun"
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		missing(t, "needs the TUN driver: %v", err)
	}
	f.Close()
}

// NeedTool skips the test unless the program is installed.
func NeedTool(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, "needs %s: %v", name, err)
	}
}

// inNewNamespace runs f on a thread in a network namespace of its own.
func inNewNamespace(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			result <- os.NewSyscallError("unshare", err)
			return
		}
		result <- f()
	}()
	return <-result
}
