package box

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// program starts the program and stays until it has ended.
func (s *stage) program(path string) error {
	pid, err := s.start(path)
	if err != nil {
		return err
	}
	letGo(0, 1, 2)
	Settle()
	if err := s.ch.send(message{Started: true}, -1); err != nil {
		return err
	}
	go s.obey(pid)
	end := reap(pid)
	return s.ch.send(message{Ended: &end}, -1)
}

// start executes the program on a thread that has given up what the program is not
// to have: a thread's capabilities, its signal mask and its filter of system calls
// are its child's. The thread ends with it.
func (s *stage) start(path string) (pid int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked
		if err = confine(); err != nil {
			return
		}
		pid, err = execute(path, s.args)
	}()
	<-done
	return pid, err
}

// confine takes from the calling thread what the program is not to have.
func confine() error {
	if err := filterSyscalls(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return &step{"give up ambient capabilities", err}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	err := unix.Capget(&header, &data[0])
	if err == nil {
		data[0].Inheritable, data[1].Inheritable = 0, 0
		err = unix.Capset(&header, &data[0])
	}
	if err != nil {
		return &step{"give up inheritable capabilities", err}
	}
	return nil
}

// execute starts a program. What the kernel does not know to execute is a script
// for the shell, as execvp(3) has it.
func execute(path string, args []string) (int, error) {
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}}
	pid, err := syscall.ForkExec(path, args, attr)
	if errors.Is(err, syscall.ENOEXEC) {
		pid, err = syscall.ForkExec("/bin/sh", append([]string{"sh", path}, args[1:]...), attr)
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errProgram, err)
	}
	return pid, nil
}

// letGo closes some of this process's descriptors, which then refer to nothing, so
// that the other end of a pipe sees what the program does with its end.
func letGo(fds ...int) {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return // a system without it; they then stay open as long as the program
	}
	for _, fd := range fds {
		_ = unix.Dup3(null, fd, 0)
	}
	unix.Close(null)
}

// obey forwards signals, and stops what runs for a while, until the parent is gone,
// and then ends everything.
func (s *stage) obey(pid int) {
	var held paused
	for {
		m, _, err := s.ch.receive()
		switch {
		case err != nil:
			os.Exit(125) // the kernel kills the others with their init
		case m.Pause:
			held.stop()
			_ = s.ch.send(message{Paused: true}, -1) // nobody listens if it fails
		case m.Resume:
			held.resume()
		case forwardable(m.Signal) && !s.own.take(syscall.Signal(m.Signal)):
			_ = unix.Kill(pid, unix.Signal(m.Signal)) // it may just have ended
		}
	}
}

// reap waits for all that ends, as an init has to, until the program does.
func reap(program int) ended {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return ended{Code: 125}
		case pid != program:
		case status.Signaled():
			return ended{Signal: int(status.Signal())}
		default:
			return ended{Code: status.ExitStatus()}
		}
	}
}
