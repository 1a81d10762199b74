package script

import (
	"net/netip"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// A world is what a script is played in: the host under test with its one link,
// and time. There are two: a simulation, which is a host of berth's and a clock
// that stands still, and another System in real time.
type world interface {
	socket.Provider
	now() time.Duration
	// step lets time pass until something may have happened, or until the given
	// time, and tells whether there is time left.
	step(until time.Duration) bool
	// settle does what calls have left to do.
	settle()
	// alarm makes a step end at a time, until it is stopped.
	alarm(at time.Duration) (stop func())
	inject(b []byte)
	// sockets is the host's table.
	sockets() []berth.SocketInfo
	// close ends the host. What it still sends nobody looks at.
	close()
}

// open makes the host, when the first event needs it.
func (r *run) open(at Pos) error {
	if r.opened {
		return nil
	}
	r.opened = true
	if r.cfg.Capture != nil {
		r.tape.capture = r.cfg.Capture.Interface(r.script.Name, 0, 0)
	}
	if s, ok := r.world.(*simulation); ok {
		if err := s.open(&r.setup); err != nil {
			return errorf(at, "the host: %v", err)
		}
	}
	return nil
}

// enterWorld begins the world of a run. A System is there from the beginning, for
// the commands of the script; berth's host is made when they have said how.
func (r *run) enterWorld() error {
	if r.cfg.System == nil {
		r.world = &simulation{tape: &r.tape}
		return nil
	}
	s, err := r.cfg.System(Place{Local: r.setup.prefix, Route: r.setup.route, MTU: r.setup.mtu})
	if err == nil {
		r.world, err = enterSystem(s, &r.tape)
	}
	if err != nil {
		return errorf(Pos{r.script.Name, 1, 1}, "the system: %v", err)
	}
	return nil
}

// A simulation is a host of berth's on a clock of its own.
type simulation struct {
	*berth.Host
	clock clock
	wire  wire
	tape  *tape
}

func (s *simulation) now() time.Duration            { return s.clock.now }
func (s *simulation) step(until time.Duration) bool { return s.clock.step(until) }
func (s *simulation) settle()                       { s.clock.settle() }
func (s *simulation) sockets() []berth.SocketInfo   { return s.Sockets() }

func (s *simulation) alarm(at time.Duration) (stop func()) {
	t := s.clock.Timer(alarm{})
	t.Set(start.Add(at))
	return t.Stop
}

func (s *simulation) inject(b []byte) {
	s.wire.handler.Input([]link.Frame{{Payload: b}})
	s.clock.settle()
}

func (s *simulation) close() {
	if s.Host != nil {
		_ = s.Host.Close()
	}
}

// linuxSYNRetries is the one setting of TCP whose default scripts know otherwise:
// they are written for Linux, where it is this.
const linuxSYNRetries = 6

// open makes the host as the script wants it.
func (s *simulation) open(want *setup) error {
	s.wire = wire{mtu: want.mtu, clock: &s.clock, tape: s.tape}
	cfg := want.host
	cfg.Name, cfg.Now, cfg.Scheduler = "berth", s.clock.time, &s.clock
	cfg.Seed = [32]byte{1}
	if cfg.TCP.SYNRetries == 0 {
		cfg.TCP.SYNRetries = linuxSYNRetries
	}
	s.Host = berth.NewHost(cfg)
	ifc, err := s.Host.Attach(&s.wire)
	if err == nil {
		err = ifc.AddAddr(want.prefix)
	}
	if err == nil {
		err = s.Host.AddRoute(berth.Route{Dst: want.route, Interface: ifc})
	}
	return err
}

// A Place is where a script wants a System to be: its address on the one link
// that it has, the destinations beyond that link, and the link's MTU.
type Place struct {
	Local, Route netip.Prefix
	MTU          int
}
