package box

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// errNotFound is a name that is in no directory of PATH.
var errNotFound = errors.New("command not found")

func isNotFound(err error) bool {
	return errors.Is(err, errNotFound) || errors.Is(err, fs.ErrNotExist)
}

// lookUp finds a program as a shell does: a name with a slash is a path, any
// other is looked for in PATH, where the first that may be executed counts. If
// there is none but one that may not, the error is that.
func lookUp(name string) (string, error) {
	if strings.ContainsRune(name, '/') {
		if err := executable(name); err != nil {
			return "", &ProgramError{name, err}
		}
		return name, nil
	}
	var found error = errNotFound
	if name == "" {
		return "", &ProgramError{`""`, found}
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if dir == "" {
			dir = "."
		}
		path := filepath.Join(dir, name)
		if !strings.ContainsRune(path, '/') {
			path = "./" + path
		}
		err := executable(path)
		if err == nil {
			return path, nil
		}
		if _, there := os.Stat(path); there == nil && errors.Is(err, fs.ErrPermission) {
			found = err
		}
	}
	return "", &ProgramError{name, plain(found)}
}

// plain is an error without the path that it names.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// executable tells why a file cannot be executed.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return plain(err)
	case info.IsDir():
		return syscall.EISDIR
	}
	return mayExecute(path)
}
