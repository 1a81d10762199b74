package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"example.com/berth"
	"example.com/berth/cmd/berth/internal/control"
	"example.com/berth/cmd/berth/internal/sockets"
	"example.com/berth/kernel"
	"example.com/berth/link"
	"example.com/berth/link/pcapng"
	"example.com/berth/link/tuntap"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// Machine is a host in use.
type Machine struct {
	socket.Provider
	// Resolver looks up names: over the host's own sockets with --dns, else
	// that of the operating system.
	Resolver netconn.Resolver

	closers []func() error // what Close does, the last first
}

// Open makes the host that the flags describe. The error is a *usage.Error for
// a mistake in them.
func (f *Flags) Open() (*Machine, error) {
	p, err := f.check()
	if err != nil {
		return nil, err
	}
	m := &Machine{Provider: kernel.Sockets(), Resolver: net.DefaultResolver}
	if f.tun == "" {
		return m, nil
	}
	if err := m.start(f, &p); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// start makes a host of berth's own.
func (m *Machine) start(f *Flags, p *plan) error {
	dev, err := m.device(f)
	if err != nil {
		return err
	}
	host := berth.NewHost(berth.Config{Name: f.tun})
	m.closers = append(m.closers, host.Close)
	if _, err := host.Attach(dev, f.addrs...); err != nil {
		return errors.Join(err, dev.Close())
	}
	for _, gw := range p.gateways {
		all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if gw.Is6() {
			all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		if err := host.AddRoute(berth.Route{Dst: all, Via: gw}); err != nil {
			return err
		}
	}
	m.Provider = host
	if len(p.dns) > 0 {
		m.Resolver = &netconn.DNS{Provider: host, Servers: p.dns}
	}
	server, err := control.Serve(control.Info{
		PID: os.Getpid(), Name: dev.Info().Name, Addrs: f.addrs, Command: os.Args,
	}, func() []sockets.Row { return sockets.OfHost(host.Sockets()) })
	if err != nil {
		return fmt.Errorf("serve the table of sockets: %w", err)
	}
	m.closers = append(m.closers, server.Close)
	return nil
}

// device opens the TUN, and the capture of what passes it.
func (m *Machine) device(f *Flags) (link.Device, error) {
	var opts []tuntap.Option
	for _, a := range f.hostAddr {
		opts = append(opts, tuntap.HostAddr(a))
	}
	if f.mtu != 0 {
		opts = append(opts, tuntap.MTU(f.mtu))
	}
	tun, err := tuntap.Open(f.tun, opts...)
	if err != nil || f.pcap == "" {
		return tun, err
	}
	file, err := os.Create(f.pcap)
	if err != nil {
		return nil, errors.Join(err, tun.Close())
	}
	capture := pcapng.NewWriter(file, pcapng.Options{})
	m.closers = append(m.closers, func() error { return errors.Join(capture.Close(), file.Close()) })
	return pcapng.Wrap(tun, capture, ""), nil
}

// Close ends the host. On the kernel's it does nothing.
func (m *Machine) Close() error {
	var errs []error
	for i := len(m.closers) - 1; i >= 0; i-- {
		errs = append(errs, m.closers[i]())
	}
	m.closers = nil
	return errors.Join(errs...)
}

// Dialer connects from the host.
func (m *Machine) Dialer() *netconn.Dialer {
	return &netconn.Dialer{Provider: m.Provider, Resolver: m.Resolver}
}

// Listener listens on the host.
func (m *Machine) Listener() *netconn.ListenConfig {
	return &netconn.ListenConfig{Provider: m.Provider, Resolver: m.Resolver}
}

// A Waiter is what waits with deadlines: sockets, connections, listeners.
type Waiter interface{ SetDeadline(time.Time) error }

// EndWith makes calls that wait on w end when ctx does. The function that it
// returns takes that back.
func EndWith(ctx context.Context, w Waiter) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		_ = w.SetDeadline(time.Unix(1, 0)) // it fails on one that is closed, where nothing waits
	})
}
