//go:build unix

package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// columns asks a terminal for its width; ok is false if f is none.
func columns(f *os.File) (n int, ok bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		if ws, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ); err == nil {
			n, ok = int(ws.Col), true
		}
	})
	return n, ok && err == nil
}
