package box

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"example.com/berth/link"
)

// Config says what to run, and on what network.
type Config struct {
	// Args are the program and its arguments. The first is looked up in PATH if it
	// has no slash.
	Args []string
	// Env is the program's environment, nil for that of this process.
	Env []string
	// Files are its standard input, output and error; nil ones are those of this
	// process.
	Files [3]*os.File

	// Addrs are the program's addresses; without any it has loopback only, and
	// there is no device.
	Addrs []netip.Prefix
	// Gateways are where it sends what is not on its link: one for IPv4, one for
	// IPv6, or none.
	Gateways []netip.Addr
	// MTU is the largest packet in bytes, 0 for DefaultMTU.
	MTU int
	// Poller reads the device, nil if a goroutine of the device's own is to.
	Poller link.Poller
	// Overlays are laid over files of the same name, for the program only.
	Overlays []Overlay
	// Root makes the program uid 0 and gid 0 in its namespace, with the
	// capabilities of that. It has no more rights to files than the person has.
	Root bool
	// LetGo has Run close this process's own standard input and output, so that the
	// other end of a pipe sees when the program closes its end.
	LetGo bool
	// Veth makes it a veth pair even where there is a TUN.
	Veth bool
}

// DefaultMTU is that of a device unless it is told otherwise: what loopback
// carries less the headers of a link, a multiple of 4. Large segments cross as one
// frame at any MTU; but at this one what the program sends has been half as fast
// again as at 1500, and large datagrams are spared their fragments.
const DefaultMTU = 65520

// Overlay is a file as the program sees it.
type Overlay struct {
	Path string // "/etc/resolv.conf"; a symbolic link is followed
	Text string
	// Source, if not "", is a file that takes the place of Text: the program sees
	// it as it is at any time, and cannot write to it.
	Source string `json:",omitempty"`
}

// A Note is something that a box does without.
type Note struct {
	Text string // a sentence
	// Missing is the path of the Overlay that lies over nothing, as there is no such
	// file; "" where the Note is about something else.
	Missing string `json:",omitempty"`
}

// Status is how a program ended.
type Status struct {
	Code   int            // its exit status, if Signal is 0
	Signal syscall.Signal // what killed it
}

// ExitCode is the status as shells give it: that of the program, or 128 and the
// number of the signal.
func (s Status) ExitCode() int {
	if s.Signal != 0 {
		return 128 + int(s.Signal)
	}
	return s.Code
}

func (s Status) String() string {
	if s.Signal != 0 {
		return s.Signal.String()
	}
	return fmt.Sprintf("exit status %d", s.Code)
}

// A ProgramError is a program that could not be executed.
type ProgramError struct {
	Name string
	Err  error
}

func (e *ProgramError) Error() string { return e.Name + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *ProgramError) Unwrap() error { return e.Err }

// ExitCode is what shells give: 127 where there is no such program, 126 where
// there is one that cannot be executed.
func (e *ProgramError) ExitCode() int {
	if isNotFound(e.Err) {
		return 127
	}
	return 126
}
