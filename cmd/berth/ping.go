package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/internal/pinger"
	"github.com/spf13/cobra"
)

type pingOptions struct {
	reaching
	count          int
	interval, wait seconds
	size, ttl      int
	quiet, json    bool
}

func newPing() *cobra.Command {
	o := pingOptions{
		interval: seconds{Duration: time.Second, least: time.Millisecond},
		wait:     seconds{Duration: 2 * time.Second},
	}
	cmd := &cobra.Command{
		Use:   "ping [flags] HOST",
		Short: "Ask a host for an echo, over ICMP",
		Long: `Send ICMP echo requests to HOST, a name or an address, and show the answers. It
ends after -c requests, or with Ctrl-C; the statistics come last. The exit status
is 0 if there was an answer.

The kernel's ping sockets are used where the sysctl net.ipv4.ping_group_range
allows them, else a raw socket, which takes CAP_NET_RAW. With --tun the request
comes from a host of berth's own.`,
		Example: `  berth ping -c 3 localhost
  berth ping -i 0.2 -s 1400 10.0.0.2
  berth ping -c 1 --json ::1
  sudo berth ping --tun bt0 --host-addr 10.77.0.1/24 --addr 10.77.0.2/24 10.77.0.1`,
		Args: oneHost,
		RunE: o.run,
	}
	set := cmd.Flags()
	set.IntVarP(&o.count, "count", "c", 0, "end after `N` requests")
	set.VarP(&o.interval, "interval", "i", "send a request every `TIME`: seconds, or with a unit")
	set.IntVarP(&o.size, "size", "s", 56, "put `BYTES` of data into each request")
	set.VarP(&o.wait, "wait", "W", "wait for the last answer no longer than `TIME`")
	set.IntVarP(&o.ttl, "ttl", "t", 0, "set the hop limit to `N`, from 1 to 255")
	set.BoolVarP(&o.quiet, "quiet", "q", false, "show the first line and the statistics only")
	set.BoolVar(&o.json, "json", false, "show everything as JSON, an object a line")
	o.addFamily(set)
	o.machine.Add(set)
	return cmd
}

// oneHost takes the one argument of ping.
func oneHost(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return &usage.Error{Problem: "no host is given", Hint: "HOST is a name, or an IPv4 or IPv6 address"}
	case len(args) > 1:
		return &usage.Error{Arg: args[1], Problem: "one argument too many: " + usage.Quote(args[1]), Hint: "one host is asked at a time"}
	case args[0] == "":
		return &usage.Error{Problem: "the host is empty", Hint: "HOST is a name, or an IPv4 or IPv6 address"}
	}
	return nil
}

// check finds values that cannot be.
func (o *pingOptions) check(cmd *cobra.Command) error {
	const maxSize = 65535 - 20 - 8
	set := cmd.Flags()
	switch {
	case set.Changed("count") && o.count < 1:
		return outOfRange("-c/--count", o.count, "at least 1")
	case o.size < 0 || o.size > maxSize:
		return outOfRange("-s/--size", o.size, fmt.Sprintf("from 0 to %d", maxSize))
	case set.Changed("ttl") && (o.ttl < 1 || o.ttl > 255):
		return outOfRange("-t/--ttl", o.ttl, "from 1 to 255")
	}
	return nil
}

func outOfRange(flag string, n int, want string) error {
	return &usage.Error{Arg: fmt.Sprint(n), Problem: fmt.Sprintf("%s %d is out of range", flag, n), Hint: flag + " is " + want}
}

func (o *pingOptions) run(cmd *cobra.Command, args []string) (err error) {
	if err := o.check(cmd); err != nil {
		return err
	}
	host := args[0]
	m, err := o.machine.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	cfg := pinger.Config{
		Count: o.count, Interval: o.interval.Duration, Wait: o.wait.Duration,
		Size: o.size, TTL: o.ttl,
	}
	if cfg.Addr, err = m.Resolve(cmd.Context(), o.family, host); err != nil {
		return err
	}
	p, err := pinger.New(m, cfg)
	if err != nil {
		return err
	}
	stats, err := show(cmd, p, o.printer(cmd), host, &cfg)
	switch {
	case err != nil:
		return err
	case stats.Received == 0:
		return errSaid
	}
	return nil
}

func (o *pingOptions) printer(cmd *cobra.Command) pinger.Printer {
	if o.json {
		return pinger.JSON{Out: cmd.OutOrStdout()}
	}
	return &pinger.Text{Out: cmd.OutOrStdout(), Quiet: o.quiet}
}

// show runs a pinger and shows what it sees. If that cannot be shown it ends.
func show(cmd *cobra.Command, p *pinger.Pinger, to pinger.Printer, host string, cfg *pinger.Config) (*pinger.Stats, error) {
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	if err := to.Begin(host, cfg); err != nil {
		cancel(err)
	}
	stats, err := p.Run(ctx, func(e pinger.Event) {
		if err := to.Event(e); err != nil {
			cancel(err)
		}
	})
	if err != nil {
		return stats, err
	}
	if cause := context.Cause(ctx); cause != nil && cmd.Context().Err() == nil {
		return stats, cause
	}
	return stats, to.End(host, stats)
}
