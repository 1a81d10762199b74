//go:build !unix

package term

import "os"

// columns takes a character device for a terminal of unknown width.
func columns(f *os.File) (n int, ok bool) {
	info, err := f.Stat()
	return 0, err == nil && info.Mode()&os.ModeCharDevice != 0
}
