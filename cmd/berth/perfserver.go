package main

import (
	"context"
	"errors"
	"time"

	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/cmd/berth/internal/perf"
	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/netconn"
	"github.com/spf13/cobra"
)

type perfServerOptions struct {
	perfOptions
	oneOff bool
}

func newPerfServer() *cobra.Command {
	o := perfServerOptions{perfOptions: perfOptions{interval: seconds{Duration: time.Second}}}
	cmd := &cobra.Command{
		Use:   "server [flags] [ADDR]",
		Short: "Serve tests, one at a time",
		Long: `Serve the tests of clients, one at a time, until Ctrl-C. ADDR is the address to
listen on; without it all of this host's are.

It serves whoever reaches it, and sends and takes as much as they ask for: let it
listen only where that does no harm.`,
		Example: `  berth perf server
  berth perf server --one-off -i 0 127.0.0.1
  sudo berth perf server --tun bt0 --host-addr 10.77.0.1/24 --addr 10.77.0.2/24`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &usage.Error{Arg: args[1], Problem: "one argument too many: " + usage.Quote(args[1]), Hint: "ADDR is one address; -p sets the port"}
			}
			return nil
		},
		RunE: o.run,
	}
	cmd.Flags().BoolVarP(&o.oneOff, "one-off", "1", false, "end after one test")
	o.add(cmd.Flags())
	return cmd
}

func (o *perfServerOptions) run(cmd *cobra.Command, args []string) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	host := ""
	if len(args) > 0 {
		host = args[0]
	}
	m, err := o.machine.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	l, err := m.Listener().Listen(cmd.Context(), o.family.Network("tcp"), o.address(host))
	if err != nil {
		return err
	}
	defer l.Close()
	ready(cmd, l.Addr())
	server := perf.Server{
		Listener: l.(*netconn.TCPListener),
		ListenPacket: func(ctx context.Context) (*netconn.UDPConn, error) {
			return o.datagrams(ctx, m, l.Addr().String())
		},
		Finish:     m.Finish,
		NewPrinter: func() perf.Printer { return o.printer(cmd) },
		Interval:   o.interval.Duration,
		OneOff:     o.oneOff,
		Log:        func(format string, args ...any) { say(cmd, format, args...) },
	}
	return server.Serve(cmd.Context())
}

// datagrams opens the socket for datagrams, on the address of the listener.
func (o *perfServerOptions) datagrams(ctx context.Context, m *machine.Machine, addr string) (*netconn.UDPConn, error) {
	c, err := m.Listener().ListenPacket(ctx, o.family.Network("udp"), addr)
	if err != nil {
		return nil, err
	}
	return c.(*netconn.UDPConn), nil
}
