//go:build !linux

package runner

import (
	"context"
	"errors"
)

// terminal is what the person sits at; programs run on Linux only.
type terminal struct{}

func openTerminal() (*terminal, error) { return nil, errors.ErrUnsupported }

func (t *terminal) close() {}

func (t *terminal) ask(context.Context, guest, string, func(string) bool) (string, error) {
	return "", errors.ErrUnsupported
}
