package main

import (
	"errors"
	"net"
	"time"

	"example.com/berth/cmd/berth/internal/endpoint"
	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/cmd/berth/internal/relay"
	"example.com/berth/internal/term"
	"example.com/berth/netconn"
	"github.com/spf13/cobra"
)

type connectOptions struct {
	serving
	wait    seconds
	verbose bool
}

func newConnect() *cobra.Command {
	o := connectOptions{wait: seconds{Duration: time.Second}}
	cmd := &cobra.Command{
		Use:   "connect [flags] ADDR",
		Short: "Open a connection, to standard input and output",
		Long: `Connect to ADDR: standard input goes to the peer, what it sends to standard
output. The end of standard input ends that half of the connection only, and the
end of the peer's half only what is received; when both have ended so does the
command.

With -u each read of standard input becomes a datagram, and the command ends when
standard input has and nothing has come for a while (-w).

ADDR is host:port, [v6%zone]:port, :port for this host, or host and port as two
words.`,
		Example: `  echo hello | berth connect localhost:50007
  berth connect example.org http
  berth connect -u '[fe80::1%eth0]:5353'`,
		RunE: o.run,
	}
	o.add(cmd.Flags())
	cmd.Flags().VarP(&o.wait, "wait", "w", "wait no longer than `TIME` for the connection; with -u, for what still comes at the end")
	cmd.Flags().Lookup("wait").DefValue = "1s with -u"
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "tell when the connection is there")
	o.machine.Add(cmd.Flags())
	return cmd
}

func (o *connectOptions) run(cmd *cobra.Command, args []string) (err error) {
	e, err := endpoint.Remote(args)
	if err != nil {
		return err
	}
	m, err := o.machine.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	network, dialer := o.family.Network("tcp"), m.Dialer()
	if o.udp {
		network = o.family.Network("udp")
	} else if cmd.Flags().Changed("wait") {
		dialer.Timeout = o.wait.Duration
	}
	c, err := dialer.DialContext(cmd.Context(), network, e.String())
	if err != nil {
		return err
	}
	defer c.Close()
	if o.verbose {
		say(cmd, "connected to %s (%s) from %s", c.RemoteAddr(), c.RemoteAddr().Network(), c.LocalAddr())
	}
	return o.carry(cmd, m, c)
}

func (o *connectOptions) carry(cmd *cobra.Command, m *machine.Machine, c net.Conn) error {
	if stream, ok := c.(*netconn.TCPConn); ok {
		in := relay.NewSource(cmd.InOrStdin(), relay.Chunk)
		err := relay.Stream(cmd.Context(), stream, in, cmd.OutOrStdout(), peerEnded(cmd, c.RemoteAddr()))
		if err != nil {
			return err
		}
		return m.Finish(cmd.Context(), stream)
	}
	d := relay.Datagrams{Socket: c.(*netconn.UDPConn).Socket(), Connected: true, Idle: o.wait.Duration}
	return d.Run(cmd.Context(), relay.NewSource(cmd.InOrStdin(), relay.DatagramChunk), cmd.OutOrStdout())
}

// interactive tells whether a person types the input.
func interactive(cmd *cobra.Command) bool { return term.Terminal(cmd.InOrStdin()) }
