package script

import (
	"fmt"
	"io"
	"time"

	"example.com/berth/link/pcapng"
	"example.com/berth/socket"
)

// Config says how a script is run. The zero value runs it with IPv4.
type Config struct {
	// Variant is the kind of addresses.
	Variant Variant
	// Profile is the system whose defaults the host has.
	Profile Profile
	// Log, if not nil, is told of each event as it happens, a line each.
	Log io.Writer
	// Capture, if not nil, records the packets.
	Capture *pcapng.Writer
	// System, if not nil, makes the host to be tested in place of one of berth's.
	// Settings of the script are the system's then, and all times real.
	System func(Place) (*System, error)
	// Options are further option lines, such as "tolerance_usecs=10000": those
	// of a command line. They win over those of the script.
	Options []string
}

// A Result is how a run of a script went.
type Result struct {
	Script  string
	Variant Variant
	// Err is nil if the host did what the script expects, else an *Error.
	Err error
	// Events is how many events of the script have happened.
	Events int
	// Time is what has passed on the clock of the script.
	Time time.Duration
	// Notes are what does not fail a script, but what its author should know:
	// settings of another system that have no meaning here.
	Notes []string
}

// Passed tells whether the host did what the script expects.
func (r *Result) Passed() bool { return r.Err == nil }

// Unsupported tells whether the script asks for what there is not.
func (r *Result) Unsupported() bool {
	e, ok := r.Err.(*Error)
	return ok && e.Unsupported
}

// run is a script under way.
type run struct {
	script *Script
	cfg    Config
	setup  setup
	tape   tape
	world  world
	opened bool // the host is there
	// since is when the script came to the events that it has at one time, after
	// which it let no more pass.
	since time.Duration
	flows []*flow
	files map[int]*file
	calls []*running
	// port is the host's, where the script leaves it open; nextPort is the last
	// that a peer of the script got.
	port, nextPort uint16
	generation     int
	passive        bool // a socket listens
	subject        *file
	named          map[string]int64 // the variables of its code
	secrets        []secret
	counted        map[string]uint64 // of nstat, when it was called last
	history        []string
	result         *Result
	last           *event
}

// Run plays a script against a host of its own, on a clock of its own, and
// tells how it went. A script may run several times, also at once.
func (s *Script) Run(cfg Config) *Result {
	r := &run{
		script: s, cfg: cfg, files: make(map[int]*file), named: make(map[string]int64), port: defaultPort, nextPort: firstPeerPort,
		result: &Result{Script: s.Name, Variant: cfg.Variant},
	}
	r.tape.seen = r.saw
	if err := r.play(); err != nil {
		r.result.Err = err
	}
	if r.world != nil {
		r.result.Time = r.world.now()
		r.leave()
	}
	return r.result
}

// Ports of a script that names none: that of the host and of the peer's listener,
// as in packetdrill, and the last before those of peers that connect.
const defaultPort, firstPeerPort = 8080, 50000

// play goes through the events. It returns *Error, but as an error that may be
// nil.
func (r *run) play() error {
	if err := r.configure(); err != nil {
		return err
	}
	if err := r.enterWorld(); err != nil {
		return err
	}
	for i := range r.script.events {
		e := &r.script.events[i]
		if err := r.event(e); err != nil {
			return err
		}
		r.result.Events++
		r.last = e
	}
	for len(r.calls) > 0 {
		if err := r.waitFor(r.calls[0]); err != nil {
			return err
		}
	}
	return nil
}

// leave ends the host. What it still sends nobody looks at.
func (r *run) leave() {
	r.tape.seen = func(*sighting) {}
	if r.system() != nil {
		for _, f := range r.files { // the end of a process would close them
			if f.sock != nil {
				_ = f.sock.Close()
			}
		}
	}
	r.world.close()
}

// event waits for the time of an event and has it happen.
func (r *run) event(e *event) error {
	base := time.Duration(0)
	if e.at.relative {
		base = r.world.now()
	}
	from, to := base+e.at.at, base+e.at.at
	if e.at.isRange {
		to = base + e.at.end
	}
	if k, ok := e.action.(*packet); ok && k.out {
		return r.expect(k, e, from, to)
	}
	later := from > r.world.now()
	if err := r.advance(from); err != nil {
		return err
	}
	if later {
		r.since = r.world.now()
	}
	switch a := e.action.(type) {
	case *packet:
		return r.input(a, e)
	case *call:
		return r.begin(a, e, base)
	case *command:
		r.note(e.text)
		if e.untimed && r.opened {
			return nil // it cleans up, and the host is of this script alone
		}
		return asError(r.command(a))
	case *snippet:
		r.note(e.text)
		return asError(r.check(a))
	}
	return nil
}

// asError makes an error of a *Error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// note remembers what happened, for the reader of a failure.
func (r *run) note(text string) {
	line := fmt.Sprintf("%9.6f  %s", r.world.now().Seconds(), text)
	r.history = append(r.history, line)
	if r.cfg.Log != nil {
		fmt.Fprintln(r.cfg.Log, line)
	}
}

// maxSteps is how many timers may go off between two events of a script.
const maxSteps = 1 << 20

// advance lets time pass until t. Calls under way go on meanwhile.
func (r *run) advance(t time.Duration) error {
	for range maxSteps {
		more := r.world.step(t)
		if err := r.poll(); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
	return errorf(r.place(), "the host's timers do not come to rest")
}

// place is where the script is.
func (r *run) place() Pos {
	if r.last == nil {
		return Pos{r.script.Name, 1, 1}
	}
	return r.last.pos
}

// input gives a packet of the peer to the host.
func (r *run) input(k *packet, e *event) error {
	if err := r.open(k.pos); err != nil {
		return err
	}
	b, err := r.encode(k)
	if err != nil {
		return err
	}
	r.note(e.text)
	r.tape.record(r.world.now(), pcapng.In, b)
	r.world.inject(b)
	return r.poll()
}

// socketOf is the socket that assertions are about.
func (r *run) socketOf() socket.Socket {
	if r.subject == nil {
		return nil
	}
	return r.subject.sock
}
