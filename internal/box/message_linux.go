package box

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A channel carries messages between the process that called Start and the first
// one in the box, each whole: a socket that keeps their boundaries.
type channel struct{ fd int }

// errMessage is a message that makes no sense.
var errMessage = errors.New("no message of a box")

// longest is how long a message may be. The longest is a plan with its overlays.
const longest = 128 << 10

// message is what is said. One of its fields is set.
type message struct {
	Plan    *plan   `json:",omitempty"` // out to in: what to set up
	Ready   *ready  `json:",omitempty"` // in to out, with the device's descriptor
	Run     bool    `json:",omitempty"` // out to in: start the program
	Started bool    `json:",omitempty"` // in to out: it runs
	Signal  int     `json:",omitempty"` // out to in: send it that
	Pause   bool    `json:",omitempty"` // out to in: stop all that runs
	Paused  bool    `json:",omitempty"` // in to out: that is done
	Resume  bool    `json:",omitempty"` // out to in: let it go on
	Failed  *failed `json:",omitempty"` // in to out: it is over
	Ended   *ended  `json:",omitempty"` // in to out: the program has ended
}

// plan is what the first process sets up.
type plan struct {
	Path       string // of the program
	Addrs      []netip.Prefix
	Gateways   []netip.Addr
	MTU        int
	Overlays   []Overlay
	Veth       bool
	PingGroups string // for net.ipv4.ping_group_range
}

// ready says what the device is, if there is one.
type ready struct {
	Device bool
	Packet bool    // it is a packet socket rather than a TUN
	Addr   [6]byte // its Ethernet address then
	Notes  []Note
}

// failed says what could not be done.
type failed struct {
	What    string // "mount /proc"
	Errno   int    // 0 if it was no system call
	Text    string // the error in words
	Program bool   // it was the program that could not be executed
}

// ended is how a program ended.
type ended struct{ Code, Signal int }

func newChannel() (out, in *channel, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return &channel{fds[0]}, &channel{fds[1]}, nil
}

// send sends a message, with a descriptor unless that is negative.
func (c *channel) send(m message, fd int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(text) > longest {
		return fmt.Errorf("a message of %d bytes to the box: %w", len(text), unix.EMSGSIZE)
	}
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	for {
		if err = unix.Sendmsg(c.fd, text, rights, nil, unix.MSG_NOSIGNAL); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// receive waits for a message. The descriptor that came with it is -1 if there was
// none. The end is io.EOF.
func (c *channel) receive() (m message, fd int, err error) {
	text, rights := make([]byte, longest), make([]byte, unix.CmsgSpace(4))
	var n, nr int
	for {
		if n, nr, _, _, err = unix.Recvmsg(c.fd, text, rights, unix.MSG_CMSG_CLOEXEC); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	fd = -1
	switch {
	case errors.Is(err, unix.ECONNRESET):
		return m, fd, io.EOF
	case err != nil:
		return m, fd, err
	case n == 0:
		return m, fd, io.EOF
	}
	fd = descriptor(rights[:nr])
	if json.Unmarshal(text[:n], &m) != nil {
		err = errMessage
	}
	return m, fd, err
}

// descriptor is the one that came, or -1.
func descriptor(rights []byte) int {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) == 0 {
		return -1
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return -1
	}
	return fds[0]
}
