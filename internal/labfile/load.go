package labfile

import (
	"io"
	"os"
	"path/filepath"
)

// Load reads the file of that path. A mistake in it is of type [Errors], another error
// one of the file system's.
func Load(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return Parse(path, text, func(other string) (io.ReadCloser, error) { return os.Open(Beside(path, other)) })
}

// Beside is the path of a file that another names: relative to where that is.
func Beside(path, other string) string {
	if filepath.IsAbs(other) {
		return other
	}
	return filepath.Join(filepath.Dir(path), other)
}
