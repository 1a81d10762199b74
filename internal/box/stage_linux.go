package box

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Stage is the name by which the first process of a box is called.
const Stage = "berth-box"

// stageChannel is the descriptor of its channel.
const stageChannel = 3

// Main does the work of a box's first process, if this is one, and ends it. A
// program that calls Start calls Main first of all.
func Main() {
	if len(os.Args) < 2 || os.Args[0] != Stage {
		return
	}
	s := &stage{ch: &channel{stageChannel}, args: os.Args[1:]}
	if err := s.run(); err != nil {
		_ = s.ch.send(message{Failed: failure(err)}, -1) // nobody listens if it fails
		os.Exit(125)
	}
	os.Exit(0)
}

// stage is the first process.
type stage struct {
	ch    *channel
	args  []string // of the program
	own   *own
	notes []Note
}

// A step is something that failed, with what it was.
type step struct {
	what string
	err  error
}

func (s *step) Error() string { return s.what + ": " + s.err.Error() }
func (s *step) Unwrap() error { return s.err }

// errProgram marks the error of executing the program.
var errProgram = errors.New("program")

// failure is an error as a message tells it.
func failure(err error) *failed {
	f := &failed{Text: err.Error(), Program: errors.Is(err, errProgram)}
	var s *step
	if errors.As(err, &s) {
		f.What, f.Text = s.what, s.err.Error()
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		f.Errno = int(errno)
	}
	return f
}

func (s *stage) run() error {
	p, err := s.begin()
	if err != nil {
		return err
	}
	if err := s.setUp(p); err != nil {
		return err
	}
	if err := s.awaitRun(); err != nil {
		return err
	}
	return s.program(p.Path)
}

// begin takes the plan. The program's parent may have left it descriptors; no
// further process gets them.
func (s *stage) begin() (*plan, error) {
	runtime.LockOSThread() // PDEATHSIG belongs to a thread
	s.own = newOwn()
	if err := closeOnExec(stageChannel); err != nil {
		return nil, &step{"mark descriptors close-on-exec", err}
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return nil, &step{"prctl PR_SET_PDEATHSIG", err}
	}
	m, _, err := s.ch.receive()
	if err != nil {
		return nil, err
	}
	if m.Plan == nil {
		return nil, errors.New("no plan came first")
	}
	return m.Plan, nil
}

// setUp makes the network and the view of the file system, and hands out the
// device.
func (s *stage) setUp(p *plan) error {
	n, err := s.network(p)
	if err != nil {
		return err
	}
	if err := s.mounts(p.Overlays); err != nil {
		return err
	}
	m := message{Ready: &ready{Device: n.fd >= 0, Packet: n.packet, Addr: n.addr, Notes: s.notes}}
	if err := s.ch.send(m, n.fd); err != nil {
		return &step{"hand out the device", err}
	}
	if n.fd >= 0 {
		unix.Close(n.fd)
	}
	return nil
}

func (s *stage) awaitRun() error {
	m, _, err := s.ch.receive()
	switch {
	case err != nil:
		return err
	case !m.Run:
		return errors.New("no word to run came next")
	}
	return nil
}

func (s *stage) note(format string, args ...any) {
	s.notes = append(s.notes, Note{Text: fmt.Sprintf(format, args...)})
}

// closeOnExec marks all descriptors from one on.
func closeOnExec(first int) error {
	err := unix.CloseRange(uint(first), ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	// Before Linux 5.11, one by one.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		var fd int
		if _, err := fmt.Sscan(e.Name(), &fd); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
