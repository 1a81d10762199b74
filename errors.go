package berth

import (
	"errors"
)

// A failure is an error with what it is about. It is what fmt.Errorf gives with
// %w, without package fmt, which a small program on berth would have for nothing
// else.
type failure struct {
	what string
	err  error
}

// failed says what failed, from the whole to the part, and why.
//
//go:noinline
func failed(err error, what ...string) error {
	text := "berth"
	for _, w := range what {
		text += ": " + w
	}
	return &failure{text, err}
}

func (f *failure) Error() string { return f.what + ": " + f.err.Error() }

// Unwrap gives the cause.
func (f *failure) Unwrap() error { return f.err }

var errNoPrefix = errors.New("want an address with a prefix length, such as 10.77.0.2/24")
