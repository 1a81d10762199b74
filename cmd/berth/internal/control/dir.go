package control

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// dir is where the sockets lie.
func dir() string {
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		if info, err := os.Stat(d); err == nil && info.IsDir() {
			return filepath.Join(d, "berth")
		}
	}
	return filepath.Join(os.TempDir(), "berth-"+strconv.Itoa(os.Getuid()))
}

// checkDir refuses a directory that others could have put sockets into.
func checkDir(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", path)
	case !ownedByUser(info):
		return fmt.Errorf("%s belongs to somebody else", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is open to others (mode %#o): it should have mode 0700", path, info.Mode().Perm())
	}
	return nil
}

// makeDir makes the directory, or takes the one that is there.
func makeDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	return checkDir(path)
}
