// Package netns makes network namespaces, and what is in them, for benchmarks.
//
// A benchmark's process is in a namespace of its own from its start: whoever
// starts it sees to that (Clone). New makes another one.
package netns

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Clone puts a child process into a network namespace of its own, and lets it
// die with its parent.
func Clone() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
}

// Namespace is a network namespace beside that of the process. A thread of its
// own lives in it and runs functions; sockets and devices made there may be used
// from anywhere. The nil Namespace is that of the process.
type Namespace struct{ do chan func() }

// New makes a namespace, which lives as long as the process.
func New() (*Namespace, error) {
	ns := &Namespace{do: make(chan func())}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread is of no use elsewhere
		err := unix.Unshare(unix.CLONE_NEWNET)
		entered <- err
		if err != nil {
			return
		}
		for f := range ns.do {
			f()
		}
	}()
	return ns, <-entered
}

// Run runs f in the namespace.
func (ns *Namespace) Run(f func() error) error {
	if ns == nil {
		return f()
	}
	done := make(chan error, 1)
	ns.do <- func() { done <- f() }
	return <-done
}

// Shell runs shell commands, one a line, in the namespace of the calling thread.
func Shell(script string) error {
	out, err := exec.Command("sh", "-ec", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%q: %w: %s", strings.TrimSpace(script), err, out)
	}
	return nil
}

// Tune makes the kernel's stack comparable: loopback up, all ports in use, and
// those in TIME-WAIT again.
func Tune() error {
	return Shell(`ip link set lo up
sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
sysctl -qw net.ipv4.tcp_tw_reuse=1
sysctl -qw net.ipv4.tcp_max_syn_backlog=65535
sysctl -qw net.core.somaxconn=65535`)
}
