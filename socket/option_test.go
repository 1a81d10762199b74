package socket_test

import (
	"errors"
	"syscall"
	"testing"

	"example.com/berth/socket"
)

// oddSocket is one whose options are strings.
type oddSocket struct{ socket.Socket }

func (oddSocket) Option(socket.OptionID) (any, error) { return "on", nil }

func TestAnOptionOfAnotherType(t *testing.T) {
	_, err := socket.Get(oddSocket{}, socket.SO_KEEPALIVE)
	if want := "socket: option 1:9 is a string, not a int: invalid argument"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if !errors.Is(err, syscall.EINVAL) {
		t.Error("it is no EINVAL")
	}
}
