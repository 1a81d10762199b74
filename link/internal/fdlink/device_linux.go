package fdlink

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"example.com/berth/link"
	"example.com/berth/link/internal/rtnl"
	"example.com/berth/link/internal/virtio"
)

// Config says what a descriptor is.
type Config struct {
	// Info is what the device is at the start.
	Info link.Info
	// VnetHeader is the length of the virtio header before each frame; 0 if
	// there is none, else at least virtio.Len.
	VnetHeader int
	// Socket: the descriptor is a socket, which takes and gives several frames in
	// one system call.
	Socket bool
	// Interface is watched for changes of name, MTU and state, if not nil. It is
	// closed with the device.
	Interface *rtnl.Interface
	// OwnAddr makes the interface's Ethernet address the device's, so that
	// Info.Addr follows it.
	OwnAddr bool
	// Poller reads the descriptor, if not nil; otherwise a goroutine of the device's
	// does.
	Poller link.Poller
}

// socketSlots is how many frames a socket gives at once. Each slot holds buffers
// of 66 KiB; 8 of them have seven eighths of what a longer batch would save.
const socketSlots = 8

// Device is a link.Device on a descriptor.
type Device struct {
	cfg   Config
	info  atomic.Pointer[link.Info]
	count counters

	change sync.Mutex // held while info changes: the reader and the watcher both do

	mu       sync.RWMutex // guards what follows; held for reading by those who use fd
	fd       int
	file     *os.File // the same descriptor, in Go's poller; nil with one of the user's
	stop     func()   // ends the reading by that one
	drain    func()   // reads what is waiting, where the device reads by itself
	handler  link.Handler
	closed   bool
	watching sync.WaitGroup
}

// New returns a device on a descriptor, which it owns from then on, also if it
// fails. A descriptor of a TUN must have its interface already: the poller asks
// once, when it is registered.
func New(fd int, cfg Config) (*Device, error) {
	fail := func(err error) (*Device, error) {
		unix.Close(fd)
		return nil, err
	}
	if n := cfg.VnetHeader; n != 0 && (n < virtio.Len || n > virtio.MaxLen) {
		return fail(fmt.Errorf("virtio header of %d bytes; %d to %d are possible", n, virtio.Len, virtio.MaxLen))
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fail(fmt.Errorf("descriptor %d: %w", fd, err))
	}
	d := &Device{cfg: cfg, fd: fd}
	if cfg.Poller == nil {
		d.file = os.NewFile(uintptr(fd), cfg.Info.Name)
	}
	d.info.Store(&cfg.Info)
	return d, nil
}

// Info implements link.Device.
func (d *Device) Info() link.Info { return *d.info.Load() }

// Counters returns what was counted so far.
func (d *Device) Counters() Counters { return d.count.read() }

// Attach implements link.Device.
func (d *Device) Attach(h link.Handler) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return link.ErrClosed
	case d.handler != nil:
		return link.ErrAttached
	}
	if err := d.read(h); err != nil {
		return err
	}
	d.handler = h
	if d.cfg.Interface != nil {
		d.watching.Go(func() { d.cfg.Interface.Watch(func(s rtnl.State, err error) { d.follow(h, s, err) }) })
	}
	return nil
}

// read has what comes in read for the handler.
func (d *Device) read(h link.Handler) error {
	r := newReader(d, h)
	if d.cfg.Poller == nil {
		rc, err := d.file.SyscallConn()
		if err != nil {
			r.release()
			return err
		}
		drain := r.drain // one closure for all calls
		d.drain = func() { _ = rc.Control(drain) }
		d.watching.Go(func() { r.run(rc) })
		return nil
	}
	stop, err := d.cfg.Poller.Poll(d.fd, r.readable)
	if err != nil {
		r.release()
		return err
	}
	d.stop = func() {
		stop()
		r.release()
	}
	return nil
}

// Drain implements link.Drainer. It does nothing with a Poller, on whose goroutine
// the handler is called and no other.
func (d *Device) Drain() {
	d.mu.RLock()
	drain := d.drain
	d.mu.RUnlock()
	if drain != nil {
		drain()
	}
}

// follow takes over a new state of the interface.
func (d *Device) follow(h link.Handler, s rtnl.State, err error) {
	d.update(h, func(info *link.Info) {
		if err != nil {
			info.Up = false
			return
		}
		info.Name, info.MTU, info.Up = s.Name, s.MTU, s.Up
		if d.cfg.OwnAddr {
			info.Addr = s.Addr
		}
	})
}

// update changes the device's description, and tells the handler if that made a
// difference.
func (d *Device) update(h link.Handler, f func(*link.Info)) {
	if d.set(f) {
		h.Changed()
	}
}

// set changes the device's description and reports whether that made a
// difference.
func (d *Device) set(f func(*link.Info)) bool {
	d.change.Lock()
	defer d.change.Unlock()
	old := *d.info.Load()
	info := old
	f(&info)
	d.info.Store(&info)
	return info != old
}

// Control runs f with the descriptor, for what only its kind has.
func (d *Device) Control(f func(fd int) error) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return link.ErrClosed
	}
	return f(d.fd)
}

// Close implements link.Device.
func (d *Device) Close() error {
	d.mu.Lock()
	first := !d.closed
	d.closed = true
	stop := d.stop
	d.mu.Unlock()
	var err error
	if first {
		if stop != nil {
			stop()
		}
		err = d.closeDescriptor()
		if d.cfg.Interface != nil {
			d.cfg.Interface.Close()
		}
		if errors.Is(err, os.ErrClosed) {
			err = nil
		}
	}
	d.watching.Wait()
	d.set(func(info *link.Info) { info.Up = false })
	return err
}

// closeDescriptor closes it; nobody takes it up any more.
func (d *Device) closeDescriptor() error {
	if d.file != nil {
		return d.file.Close()
	}
	d.mu.Lock() // who has it still is done first
	defer d.mu.Unlock()
	return unix.Close(d.fd)
}
