package box

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/tuntap"
)

// Box is a program on a network of its own.
type Box struct {
	name   string // of the program
	pid    int    // of the first process
	letGo  bool
	ch     *channel
	dev    link.Device
	notes  []Note
	paused chan struct{} // told when all that runs has been stopped
	gone   chan struct{} // closed when the first process has been reaped
	signal sync.Mutex    // guards over and, while it is false, the channel for sending
	over   bool

	started chan error // how the start of the program went, once
	status  Status     // once gone is closed and told is over
	told    chan struct{}
}

// Start makes the namespaces and the device; the program waits for Run. The error
// says what stood in the way, and what to do about it. It is a *ProgramError if
// there is no such program.
func Start(cfg Config) (*Box, error) {
	if len(cfg.Args) == 0 {
		return nil, errors.New("box: no program is given")
	}
	path, err := lookUp(cfg.Args[0])
	if err != nil {
		return nil, err
	}
	out, in, err := newChannel()
	if err != nil {
		return nil, err
	}
	b := &Box{
		name: cfg.Args[0], letGo: cfg.LetGo, ch: out,
		paused: make(chan struct{}, 1), gone: make(chan struct{}), started: make(chan error, 1), told: make(chan struct{}),
	}
	ids := identify(cfg.Root)
	if err := b.spawn(cfg, ids, in); err != nil {
		unix.Close(out.fd)
		return nil, blocked(err)
	}
	p := plan{
		Path: path, Addrs: cfg.Addrs, Gateways: cfg.Gateways, MTU: cfg.mtu(),
		Overlays: cfg.Overlays, Veth: cfg.Veth, PingGroups: ids.pingGroups,
	}
	if err := b.prepare(&p, cfg.Poller); err != nil {
		err = errors.Join(err, b.Close())
		unix.Close(out.fd)
		return nil, err
	}
	go b.listen()
	return b, nil
}

func (c *Config) mtu() int {
	if c.MTU == 0 {
		return DefaultMTU
	}
	return c.MTU
}

// spawn starts the first process. The kernel kills it when the thread that
// started it ends, so that thread stays until the process has.
func (b *Box) spawn(cfg Config, ids identity, in *channel) error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{Stage}, cfg.Args...)
	cmd.Env = cfg.Env
	std := [3]*os.File{os.Stdin, os.Stdout, os.Stderr}
	for i, f := range cfg.Files {
		if f != nil {
			std[i] = f
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = std[0], std[1], std[2]
	inner := os.NewFile(uintptr(in.fd), "box")
	defer inner.Close()
	cmd.ExtraFiles = []*os.File{inner} // descriptor 3: stageChannel
	cmd.SysProcAttr = ids.attributes()

	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			b.pid = cmd.Process.Pid
		}
		result <- err
		if err == nil {
			_ = cmd.Wait() // how it ended it tells itself, or not at all
			close(b.gone)
		}
	}()
	return <-result
}

// prepare has the first process set everything up, and takes the device.
func (b *Box) prepare(p *plan, poller link.Poller) error {
	if err := b.ch.send(message{Plan: p}, -1); err != nil {
		return fmt.Errorf("box: %w", err)
	}
	m, fd, err := b.ch.receive()
	switch {
	case err == io.EOF:
		return errors.New("the first process of the box died before it was set up")
	case err != nil:
		return fmt.Errorf("box: %w", err)
	case m.Failed != nil:
		return setupFailed(m.Failed)
	case m.Ready == nil || m.Ready.Device != (fd >= 0):
		return errors.New("the first process of the box does not keep to the protocol")
	}
	b.notes = m.Ready.Notes
	if fd >= 0 {
		b.dev, err = device(fd, m.Ready, p.MTU, poller)
	}
	return err
}

// device makes one of the descriptor that came out of the box.
func device(fd int, r *ready, mtu int, poller link.Poller) (link.Device, error) {
	opts := []tuntap.Option{tuntap.MTU(mtu), tuntap.OnPoller(poller)}
	if r.Packet {
		opts = append(opts, tuntap.TAP(), tuntap.HardwareAddr(r.Addr), tuntap.VnetHeader(packetHeader))
	}
	return tuntap.FromFD(fd, opts...)
}

// Device is the outer end of the program's wire, nil if it has none. Who uses it
// closes it.
func (b *Box) Device() link.Device { return b.dev }

// Notes are things that the box does without.
func (b *Box) Notes() []Note { return b.notes }

// Run starts the program. The error is a *ProgramError if it cannot be executed.
func (b *Box) Run() error {
	if err := b.tell(message{Run: true}); err != nil {
		return err
	}
	err := <-b.started
	if err == nil && b.letGo {
		letGo(0, 1)
	}
	return err
}

// Signal sends the program a signal that this process got. If the box is in the
// process group of this process and the whole group got the signal, as from the
// terminal, the program has it already and does not get it again.
func (b *Box) Signal(sig os.Signal) error {
	n, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("box: %v is no signal of this system", sig)
	}
	return b.tell(message{Signal: int(n)})
}

func (b *Box) tell(m message) error {
	b.signal.Lock()
	defer b.signal.Unlock()
	if b.over {
		return os.ErrProcessDone
	}
	return b.ch.send(m, -1)
}

// listen takes what the first process says, until it ends.
func (b *Box) listen() {
	defer close(b.told)
	defer b.hangUp()
	b.status = Status{Signal: syscall.SIGKILL} // if it does not say how the program ended
	for {
		m, fd, err := b.ch.receive()
		if fd >= 0 {
			unix.Close(fd) // none is expected
		}
		switch {
		case errors.Is(err, errMessage): // its process may be the program's prey
		case err != nil:
			b.report(errors.New("the box was killed before the program was started"))
			return
		case m.Paused:
			select {
			case b.paused <- struct{}{}:
			default: // nobody asked for it
			}
		case m.Started:
			b.report(nil)
		case m.Failed != nil:
			b.report(b.failure(m.Failed))
		case m.Ended != nil:
			b.status = m.Ended.status()
		}
	}
}

// hangUp closes the channel, of which the other end is closed.
func (b *Box) hangUp() {
	b.signal.Lock()
	defer b.signal.Unlock()
	b.over = true
	unix.Close(b.ch.fd)
}

// report says how the start of the program went, if that is not said yet.
func (b *Box) report(err error) {
	select {
	case b.started <- err:
	default:
	}
}

// errInterpreter is that a file is there, and what is to execute it is not.
var errInterpreter = fmt.Errorf("its interpreter or loader: %w", unix.ENOENT)

func (b *Box) failure(f *failed) error {
	if f.Program {
		var err error = syscall.Errno(f.Errno)
		if err == unix.ENOENT { // of the file itself Start would have said that
			err = errInterpreter
		}
		return &ProgramError{b.name, err}
	}
	return setupFailed(f)
}

func (e *ended) status() Status {
	if e.Signal > 0 && e.Signal < 128 {
		return Status{Signal: syscall.Signal(e.Signal)}
	}
	return Status{Code: e.Code & 0xff}
}

// Wait waits until the program has ended, and with it everything that it started.
func (b *Box) Wait() Status {
	<-b.told
	<-b.gone
	return b.status
}

// Close ends the box, with a program that is still running, and waits until all
// its processes are gone. The device is not closed. A second Close does nothing.
func (b *Box) Close() error {
	b.signal.Lock()
	if !b.over {
		b.over = true
		_ = unix.Shutdown(b.ch.fd, unix.SHUT_RDWR) // the first process takes that for our death
	}
	b.signal.Unlock()
	<-b.gone
	return nil
}
