package main

import (
	"errors"
	"net"

	"example.com/berth/cmd/berth/internal/echoer"
	"example.com/berth/cmd/berth/internal/endpoint"
	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/netconn"
	"github.com/spf13/cobra"
)

func newEcho() *cobra.Command {
	var o serving
	var verbose bool
	cmd := &cobra.Command{
		Use:   "echo [flags] ADDR",
		Short: "Send back what comes, over TCP or UDP",
		Long: `Send back whatever comes to ADDR, over TCP or with -u over UDP, until Ctrl-C.

ADDR is :port, host:port, [v6]:port, host and port as two words, or a port alone.
With --tun it is an address of a host of berth's own, which is put on the network
for it.`,
		Example: `  berth echo :50007
  berth echo -u -v 127.0.0.1:7
  sudo berth echo --tun bt0 --host-addr 10.77.0.1/24 --addr 10.77.0.2/24 :50007
      # a new machine on the network: ping 10.77.0.2; nc 10.77.0.2 50007`,
		RunE: func(cmd *cobra.Command, args []string) error {
			log := func(string, ...any) {}
			if verbose {
				log = func(format string, args ...any) { say(cmd, format, args...) }
			}
			return o.run(cmd, args, work{
				stream: func(_ *machine.Machine, l *netconn.TCPListener) error {
					return echoer.Stream(cmd.Context(), l, log)
				},
				datagram: func(c *netconn.UDPConn) error { return echoer.Datagram(cmd.Context(), c, log) },
			})
		},
	}
	o.add(cmd.Flags())
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "tell of each connection or datagram")
	o.machine.Add(cmd.Flags())
	return cmd
}

// work is what is done on an address once it is open.
type work struct {
	stream   func(*machine.Machine, *netconn.TCPListener) error
	datagram func(*netconn.UDPConn) error
}

// run opens the address and does the work, and says when it is ready.
func (o *serving) run(cmd *cobra.Command, args []string, w work) (err error) {
	e, err := endpoint.Local(args)
	if err != nil {
		return err
	}
	m, err := o.machine.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	if o.udp {
		c, err := m.Listener().ListenPacket(cmd.Context(), o.family.Network("udp"), e.String())
		if err != nil {
			return err
		}
		defer c.Close()
		ready(cmd, c.LocalAddr())
		return w.datagram(c.(*netconn.UDPConn))
	}
	l, err := m.Listener().Listen(cmd.Context(), o.family.Network("tcp"), e.String())
	if err != nil {
		return err
	}
	defer l.Close()
	ready(cmd, l.Addr())
	return w.stream(m, l.(*netconn.TCPListener))
}

// ready says that an address is open, and which.
func ready(cmd *cobra.Command, a net.Addr) { say(cmd, "listening on %s (%s)", a, a.Network()) }
