package labhost

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/berth/lab"
	labreport "example.com/berth/lab/report"
)

// Stage is the name by which the process of a lab is called: NAME SHAPE REPORT.
const Stage = "berth-lab"

// recorded is how many bytes of packets a report can have.
const recorded = 256 << 20

// Main does the work of a lab's process, if this is one, and ends it.
func Main() {
	if len(os.Args) != 4 || os.Args[0] != Stage {
		return
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// server is a lab.
type server struct {
	name, report string
	ln           *net.UnixListener
	net          *network
	failed       error // why there is no network

	mu      sync.Mutex // guards the network's places
	gone    chan struct{}
	serving int // hosts that are there, or come; of the loop of serve
}

// What the process tells who started it, if nothing went wrong.
const (
	begun   = "begun"
	present = "present" // another process is that lab
)

// serve is a lab from its first host to its last.
func serve(name, shape, report string) error {
	beginning := os.NewFile(3, "beginning")
	d, ln, err := open(name)
	said := begun
	switch {
	case err != nil:
		said = err.Error()
	case ln == nil:
		said = present
	}
	_, _ = beginning.WriteString(said) // the other may have been killed
	if err != nil || ln == nil {
		return err
	}
	s := &server{name: name, report: report, ln: ln, gone: make(chan struct{})}
	s.build(shape)
	if s.failed == nil {
		s.failed = s.net.writeNames(d.hosts(name))
	}
	come := make(chan struct{}) // has the first host, or it never will
	go func() {
		_, _ = beginning.Read(make([]byte, 1))
		close(come)
	}()
	return s.run(d, come)
}

// open listens for a lab's hosts, unless there is somebody who does, as the nil
// listener says.
func open(name string) (d *directory, ln *net.UnixListener, err error) {
	if d, err = makeDirectory(); err != nil {
		return nil, nil, fmt.Errorf("the directory of labs: %w", err)
	}
	if c, err := net.DialUnix("unixpacket", nil, d.address(name)); err == nil {
		return d, nil, errors.Join(c.Close(), d.unlock())
	}
	_ = os.Remove(d.socket(name)) // of a lab that was killed
	if ln, err = net.ListenUnix("unixpacket", d.address(name)); err != nil {
		d.remove(name)
		return nil, nil, errors.Join(err, d.unlock())
	}
	ln.SetUnlinkOnClose(false) // that is done under the lock
	return d, ln, d.unlock()
}

// build makes the network. What stands against it the hosts are told.
func (s *server) build(shape string) {
	record := -1
	if s.report != "" {
		record = recorded
	}
	if shape == "" {
		s.net = newSwitch(record)
		return
	}
	text, err := os.ReadFile(shape)
	if err == nil {
		open := func(trace string) (io.ReadCloser, error) {
			if !filepath.IsAbs(trace) {
				trace = filepath.Join(filepath.Dir(shape), trace)
			}
			return os.Open(trace)
		}
		s.net, err = newShape(shape, text, open, record, func(*lab.Network) error { return s.leaveReport() })
	}
	s.failed = err
}

// run takes hosts until none is left, the first one included, when that has come.
func (s *server) run(d *directory, come <-chan struct{}) error {
	hosts := make(chan *net.UnixConn)
	go s.accept(hosts)
	for {
		select {
		case c := <-hosts:
			s.serving++
			go s.host(c, d)
			continue
		case <-s.gone:
			s.serving--
		case <-come:
			come = nil
		}
		if s.serving > 0 || come != nil {
			continue
		}
		locked, err := makeDirectory()
		if err != nil {
			return err
		}
		select {
		case c := <-hosts: // it came meanwhile
			s.serving++
			go s.host(c, d)
		case <-time.After(20 * time.Millisecond): // what connected before is in the queue, and accepted by now
			defer locked.unlock()
			locked.remove(s.name)
			return s.end()
		}
		if err := locked.unlock(); err != nil {
			return err
		}
	}
}

func (s *server) accept(hosts chan<- *net.UnixConn) {
	for {
		c, err := s.ln.AcceptUnix()
		if err != nil {
			return
		}
		hosts <- c
	}
}

// host is one from its coming to its leaving.
func (s *server) host(c *net.UnixConn, d *directory) {
	defer func() { s.gone <- struct{}{} }()
	defer c.Close()
	var j join
	if receive(c, &j) != nil {
		return
	}
	seat, err := s.sit(j, d)
	if err != nil {
		_ = send(c, welcome{Error: err.Error()})
		return
	}
	defer s.leave(j.Host)
	defer seat.Device.Close()
	info := seat.Device.Info()
	if send(c, welcome{Addrs: seat.Addrs, Gateways: seat.Gateways, MTU: info.MTU, Medium: info.Medium}) == nil {
		_ = newCable(seat.Device, c, false).carry()
	}
}

func (s *server) sit(j join, d *directory) (*lab.Seat, error) {
	if s.failed != nil {
		return nil, s.failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seat, err := s.net.sit(j)
	if err != nil {
		return nil, err
	}
	return seat, s.net.writeNames(d.hosts(s.name))
}

func (s *server) leave(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.net.taken, strings.ToLower(host))
}

// end ends the network.
func (s *server) end() error {
	err := s.ln.Close()
	if s.net == nil {
		return err
	}
	if s.net.shape == "" {
		err = errors.Join(err, s.leaveReport())
	}
	return errors.Join(err, s.net.end())
}

// leaveReport writes the page about what happened.
func (s *server) leaveReport() error {
	if s.report == "" {
		return nil
	}
	f, err := os.Create(s.report)
	if err != nil {
		return err
	}
	r := s.net.Recording()
	r.Title = "lab " + s.name
	return errors.Join(labreport.Write(f, r), f.Close())
}
