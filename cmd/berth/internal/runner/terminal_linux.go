package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is what the person sits at. Nothing is kept of it between questions but
// the open file.
type terminal struct{ file *os.File }

// openTerminal opens the terminal of this process's session. The error wraps
// ErrNoTerminal.
func openTerminal() (*terminal, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	return &terminal{f}, nil
}

func (t *terminal) close() {
	if t != nil {
		_ = t.file.Close()
	}
}

// control makes system calls on the descriptor.
func (t *terminal) control(f func(fd int) error) error {
	raw, err := t.file.SyscallConn()
	if err != nil {
		return err
	}
	if ctl := raw.Control(func(fd uintptr) { err = f(int(fd)) }); ctl != nil {
		return ctl
	}
	return err
}

// errBackground is that the terminal is in use by another job of the shell's.
var errBackground = errors.New("berth is in the background")

// foregroundEvery is how often is looked whether berth is in the foreground again.
const foregroundEvery = 500 * time.Millisecond

// ask puts a question until a line is a clear answer. Meanwhile the guest is paused and the
// terminal belongs to this process; afterwards everything is as it was, but that
// what was typed before the question is lost: it was not meant for an answer, and
// must not be one.
func (t *terminal) ask(ctx context.Context, g guest, text string, clear func(string) bool) (line string, err error) {
	for {
		restore, err := t.take(g)
		if err == nil {
			defer restore()
			return t.read(ctx, text, clear)
		}
		if !errors.Is(err, errBackground) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(foregroundEvery):
		}
	}
}

// take makes the terminal this process's, and one that lines are typed at.
func (t *terminal) take(g guest) (restore func(), err error) {
	if err := g.Pause(); err != nil {
		return nil, err
	}
	modes, group, err := t.enter(g)
	if err != nil {
		return nil, errors.Join(err, g.Resume())
	}
	return func() {
		_ = t.control(func(fd int) error { // the terminal may be gone
			return errors.Join(unix.IoctlSetTermios(fd, unix.TCSETS, modes), setForeground(fd, group))
		})
		_ = g.Resume() // it may have been killed
	}, nil
}

// enter is take with the guest paused; it returns what the terminal was like.
func (t *terminal) enter(g guest) (modes *unix.Termios, group int, err error) {
	err = t.control(func(fd int) error {
		if group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil {
			return err
		}
		if group != unix.Getpgrp() && !g.Holds(group) {
			return errBackground
		}
		if modes, err = unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
			return err
		}
		if err := setForeground(fd, unix.Getpgrp()); err != nil {
			return err
		}
		lines := *modes
		lines.Iflag |= unix.ICRNL
		lines.Iflag &^= unix.IGNCR | unix.INLCR
		lines.Oflag |= unix.OPOST | unix.ONLCR
		lines.Lflag |= unix.ICANON | unix.ECHO | unix.ECHOE | unix.ISIG
		lines.Cc[unix.VSUSP] = 0 // Ctrl-Z would continue the program, by the shell's fg
		err := errors.Join(unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH), unix.IoctlSetTermios(fd, unix.TCSETS, &lines))
		if err != nil {
			return errors.Join(err, setForeground(fd, group))
		}
		return nil
	})
	return modes, group, err
}

// setForeground gives the terminal to a process group. Who is not in the foreground
// may do that if it ignores that it may not.
func setForeground(fd, group int) error {
	now, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err != nil || now == group {
		return err
	}
	if !signal.Ignored(unix.SIGTTOU) {
		signal.Ignore(unix.SIGTTOU)
		defer signal.Reset(unix.SIGTTOU)
	}
	return unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, group)
}

// longestAnswer is more than a person types for one.
const longestAnswer = 256

// read writes the question and reads a line, until that is clear or the context done.
func (t *terminal) read(ctx context.Context, text string, clear func(string) bool) (line string, err error) {
	if err := t.file.SetDeadline(time.Time{}); err != nil {
		return "", err
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = t.file.SetDeadline(time.Unix(1, 0)) // it has taken one before
	})
	defer func() {
		if !stop() {
			<-stopped
		}
	}()
	// The program may have left the cursor in the middle of a line.
	_, err = t.file.WriteString("\n")
	for b := make([]byte, longestAnswer); err == nil; {
		if _, err = t.file.WriteString(text); err != nil {
			break
		}
		var n int
		n, err = t.file.Read(b) // a line at a time, by its modes
		if line = string(b[:n]); err == nil && clear(line) {
			return line, nil
		}
	}
	if ctx.Err() != nil || errors.Is(err, io.EOF) { // the cursor stands behind the question
		_ = t.file.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = t.file.WriteString("\n")
	}
	return "", err
}
