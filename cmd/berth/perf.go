package main

import (
	"fmt"
	"net"
	"strconv"

	"example.com/berth/cmd/berth/internal/perf"
	"example.com/berth/cmd/berth/internal/usage"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// perfPort is where a server listens unless it is told otherwise.
const perfPort = 50201

func newPerf() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "perf COMMAND",
		Short: "Measure what a network and its stacks carry",
		Long: `Measure what a network carries between two programs, and how the stacks below
them do: bulk data over TCP, datagrams over UDP, in either direction or in both.
One side is the server, the other the client, who says what is done.

Both use the operating system's sockets, or with --tun a host of berth's own.`,
		Example: `  berth perf server
  berth perf client 10.0.0.1`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &usage.Error{Arg: args[0], Problem: "unknown command " + usage.Quote(args[0]), Hint: "it is 'berth perf server' or 'berth perf client HOST'"}
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPerfServer(), newPerfClient())
	for _, sub := range cmd.Commands() {
		sub.Flags().SortFlags = false
		sub.DisableFlagsInUseLine = true
	}
	return cmd
}

// perfOptions are what both sides have.
type perfOptions struct {
	reaching
	port     int
	interval seconds
	json     bool
}

func (o *perfOptions) add(set *pflag.FlagSet) {
	set.IntVarP(&o.port, "port", "p", perfPort, "the server's port `N`, of TCP and of UDP")
	set.VarP(&o.interval, "interval", "i", "report every `TIME`; 0 reports the end only")
	set.BoolVar(&o.json, "json", false, "report one object of JSON, with the fields of iperf3")
	o.addFamily(set)
	o.machine.Add(set)
}

func (o *perfOptions) check() error {
	if o.port < 1 || o.port > 65535 {
		return outOfRange("-p/--port", o.port, "from 1 to 65535")
	}
	return nil
}

// address is a host with the port.
func (o *perfOptions) address(host string) string {
	return net.JoinHostPort(host, strconv.Itoa(o.port))
}

func (o *perfOptions) printer(cmd *cobra.Command) perf.Printer {
	if o.json {
		return &perf.JSON{Out: cmd.OutOrStdout()}
	}
	return &perf.Text{Out: cmd.OutOrStdout()}
}

// size is a flag's value that is a number with a unit.
type size struct {
	n     int64
	times float64 // from one unit to the next
}

func (s *size) Type() string { return "size" }

func (s *size) String() string {
	n, unit := s.n, ""
	for _, u := range []string{"K", "M", "G", "T"} {
		if times := int64(s.times); n == 0 || times == 0 || n%times != 0 {
			break
		}
		n, unit = n/int64(s.times), u
	}
	return fmt.Sprint(n) + unit
}

func (s *size) Set(text string) (err error) {
	s.n, err = perf.ParseSize(text, s.times)
	return err
}
