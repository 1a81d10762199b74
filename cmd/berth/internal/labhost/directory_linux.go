package labhost

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A directory has what the labs of a person have in files: for each a socket, and
// the names of its hosts. Who holds its lock may begin a lab, or end one.
type directory struct {
	path string
	lock *os.File
}

// makeDirectory makes the directory if it is not there, and takes the lock.
func makeDirectory() (*directory, error) {
	for {
		d, err := openDirectory()
		if !errors.Is(err, fs.ErrNotExist) {
			return d, err
		}
		if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
}

// openDirectory takes the lock of the directory. Of one that is not there it gives
// the path, and the error fs.ErrNotExist.
func openDirectory() (*directory, error) {
	d := &directory{path: filepath.Join(os.TempDir(), "berth-labs-"+strconv.Itoa(os.Getuid()))}
	if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" {
		if info, err := os.Stat(run); err == nil && info.IsDir() {
			d.path = filepath.Join(run, "berth-labs")
		}
	}
	for {
		err := private(d.path)
		if err == nil {
			d.lock, err = os.Open(d.path)
		}
		if err != nil {
			return d, err
		}
		if err := unix.Flock(int(d.lock.Fd()), unix.LOCK_EX); err != nil {
			return nil, errors.Join(err, d.unlock())
		}
		// The one that is locked must be the one that is there.
		held, err1 := d.lock.Stat()
		there, err2 := os.Lstat(d.path)
		if err1 == nil && err2 == nil && os.SameFile(held, there) {
			return d, nil
		}
		_ = d.unlock() // the last lab has just taken it away
	}
}

// private refuses a directory that others could have put something into.
func private(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", path)
	case !ok || int(st.Uid) != os.Getuid():
		return fmt.Errorf("%s belongs to somebody else", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is open to others (mode %#o): it should have mode 0700", path, info.Mode().Perm())
	}
	return nil
}

func (d *directory) unlock() error { return d.lock.Close() }

// socket is where a lab's hosts come to, and hosts its names.
func (d *directory) socket(lab string) string { return filepath.Join(d.path, lab+".sock") }

func (d *directory) address(lab string) *net.UnixAddr {
	return &net.UnixAddr{Name: d.socket(lab), Net: "unixpacket"}
}

func (d *directory) hosts(lab string) string { return filepath.Join(d.path, lab+".hosts") }

// remove takes away what a lab has, and the directory if it was the last. The lock
// is held.
func (d *directory) remove(lab string) {
	_ = os.Remove(d.socket(lab))
	_ = os.Remove(d.hosts(lab))
	_ = os.Remove(d.path) // fails where another lab is
}
