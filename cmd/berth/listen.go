package main

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/cmd/berth/internal/relay"
	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/netconn"
	"github.com/spf13/cobra"
)

type listenOptions struct {
	serving
	keep bool
	wait seconds
}

func newListen() *cobra.Command {
	var o listenOptions
	cmd := &cobra.Command{
		Use:   "listen [flags] ADDR",
		Short: "Take a connection, to standard input and output",
		Long: `Take one connection on ADDR: what comes goes to standard output, standard input
goes to the peer. The end of standard input ends that half of the connection
only, and the end of the peer's half only what is received; when both have ended
so does the command.

With -k it goes on with the next connection when a peer has ended its half. With
-u the peer is whoever sends the first datagram, or with -k the latest; each read
of standard input becomes a datagram.

ADDR is :port, host:port, [v6]:port, host and port as two words, or a port alone.`,
		Example: `  berth listen :50007 > file           # and elsewhere: berth connect HOST:50007 < file
  berth listen -k 127.0.0.1 8080
  berth listen -u :5353`,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := o.run(cmd, args, work{
				stream:   func(m *machine.Machine, l *netconn.TCPListener) error { return o.streams(cmd, m, l) },
				datagram: func(c *netconn.UDPConn) error { return o.datagrams(cmd, c) },
			})
			if cmd.Context().Err() != nil && !usage.Is(err) {
				return nil // it would have waited for ever: an interrupt is its usual end
			}
			return err
		},
	}
	o.add(cmd.Flags())
	cmd.Flags().BoolVarP(&o.keep, "keep", "k", false, "go on with the next connection or sender")
	cmd.Flags().VarP(&o.wait, "wait", "w", "with -u, end when nothing has come for `TIME` after standard input has ended")
	cmd.Flags().Lookup("wait").DefValue = ""
	o.machine.Add(cmd.Flags())
	return cmd
}

// streams takes one connection, or with -k all.
func (o *listenOptions) streams(cmd *cobra.Command, m *machine.Machine, l *netconn.TCPListener) error {
	ctx := cmd.Context()
	in := relay.NewSource(cmd.InOrStdin(), relay.Chunk)
	defer machine.EndWith(ctx, l)()
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			return err
		}
		if !o.keep {
			l.Close() // before it is said that somebody came: the next one is refused
		}
		say(cmd, "connection from %s", c.RemoteAddr())
		if !o.keep {
			defer c.Close()
			if err := o.one(ctx, cmd, c, in); err != nil {
				return err
			}
			return m.Finish(ctx, c)
		}
		err = o.one(ctx, cmd, c, in)
		c.Close()
		if err != nil {
			if quiet(err) || ctx.Err() != nil {
				return err
			}
			say(cmd, "%s", explain(err))
		}
	}
}

// one carries one connection. With -k the end of the peer's half ends it, so
// that the next one's turn comes.
func (o *listenOptions) one(ctx context.Context, cmd *cobra.Command, c *netconn.TCPConn, in *relay.Source) error {
	if !o.keep {
		return relay.Stream(ctx, c, in, cmd.OutOrStdout(), peerEnded(cmd, c.RemoteAddr()))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := relay.Stream(ctx, c, in, cmd.OutOrStdout(), func() { cancel(errNext) })
	if context.Cause(ctx) == errNext {
		return nil
	}
	return err
}

// errNext ends a connection of listen -k.
var errNext = errors.New("next")

// datagrams exchanges datagrams with who sends them.
func (o *listenOptions) datagrams(cmd *cobra.Command, c *netconn.UDPConn) error {
	d := relay.Datagrams{
		Socket: c.Socket(), Keep: o.keep, Idle: o.wait.Duration,
		OnPeer: func(from netip.AddrPort) { say(cmd, "datagrams from %s", from) },
	}
	return d.Run(cmd.Context(), relay.NewSource(cmd.InOrStdin(), relay.DatagramChunk), cmd.OutOrStdout())
}

// peerEnded tells a person at a terminal why nothing happens any more.
func peerEnded(cmd *cobra.Command, peer net.Addr) func() {
	return func() {
		if interactive(cmd) {
			say(cmd, "%s has ended its half; Ctrl-D ends yours", peer)
		}
	}
}
