package runner

import "errors"

// guest is who else uses the terminal: the program. While it is paused it reads
// nothing.
type guest interface {
	Pause() error
	Resume() error
	Holds(group int) bool
}

// ErrNoTerminal is that there is nobody to be asked.
var ErrNoTerminal = errors.New("there is no terminal to ask at")
