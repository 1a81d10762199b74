package script

import "fmt"

// A Pos is a place in a script.
type Pos struct {
	File      string
	Line, Col int // from 1
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// An Error is what is wrong with a script or with how it went.
type Error struct {
	Pos     Pos
	Message string
	// Unsupported: the script asks for something that berth, or this package,
	// does not have. It says nothing about whether TCP is right.
	Unsupported bool
}

func (e *Error) Error() string {
	if e.Unsupported {
		return e.Pos.String() + ": not supported: " + e.Message
	}
	return e.Pos.String() + ": " + e.Message
}

func errorf(p Pos, format string, args ...any) *Error {
	return &Error{Pos: p, Message: fmt.Sprintf(format, args...)}
}

func unsupported(p Pos, format string, args ...any) *Error {
	return &Error{Pos: p, Message: fmt.Sprintf(format, args...), Unsupported: true}
}
