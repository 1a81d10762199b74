package main

import (
	"errors"
	"fmt"
	"time"

	"example.com/berth/cmd/berth/internal/perf"
	"example.com/berth/cmd/berth/internal/usage"
	"github.com/spf13/cobra"
)

type perfClientOptions struct {
	perfOptions
	udp, reverse, both  bool
	streams             int
	time                seconds
	bytes, rate, length size
}

// What is sent unless flags say otherwise.
const (
	perfWrite    = 128 << 10
	perfDatagram = 1448 // it fits an MTU of 1500 with any header
	perfRate     = 1_000_000
)

func newPerfClient() *cobra.Command {
	o := perfClientOptions{
		perfOptions: perfOptions{interval: seconds{Duration: time.Second}},
		time:        seconds{Duration: 10 * time.Second, least: time.Millisecond, most: perf.MaxTime},
		bytes:       size{times: 1024}, rate: size{times: 1000}, length: size{times: 1024},
	}
	cmd := &cobra.Command{
		Use:   "client [flags] HOST",
		Short: "Test against a server",
		Long: `Connect to 'berth perf server' on HOST, a name or an address, and send it as much
as goes through; with -R it sends, with --bidir both do.

Reports are those of iperf3: Retr are segments of TCP that were sent again, Cwnd is
its congestion window; jitter is that of RFC 3550. At the end a line of the sender
and one of the receiver tell what each has counted.

BYTES have units of 1024 (K, M, G, T), RATE is in bits a second with units of 1000.
Ctrl-C ends the test early, with a report.`,
		Example: `  berth perf client localhost
  berth perf client -R -P 8 -t 3 10.0.0.1
  berth perf client -u -b 100M -l 1200 fd00::1
  sudo berth perf client --tun bt0 --host-addr 10.77.0.1/24 --addr 10.77.0.2/24 10.77.0.1`,
		Args: oneServer,
		RunE: o.run,
	}
	set := cmd.Flags()
	set.BoolVarP(&o.udp, "udp", "u", false, "UDP instead of TCP")
	set.BoolVarP(&o.reverse, "reverse", "R", false, "the server sends")
	set.BoolVar(&o.both, "bidir", false, "both sides send")
	set.IntVarP(&o.streams, "parallel", "P", 1, fmt.Sprintf("`N` streams, up to %d", perf.MaxStreams))
	set.VarP(&o.time, "time", "t", "send for `TIME`")
	set.VarP(&o.bytes, "bytes", "n", "send `BYTES` in all instead, in each direction")
	set.VarP(&o.rate, "bitrate", "b", "send each stream at no more than `RATE`; 0 has no limit")
	set.VarP(&o.length, "length", "l", "write `BYTES` at once, or send datagrams of so many")
	set.Lookup("bytes").DefValue = ""
	set.Lookup("bitrate").DefValue = "1M of UDP, else 0"
	set.Lookup("length").DefValue = "1448 of UDP, else 128K"
	o.add(set)
	return cmd
}

// oneServer takes the one argument of the client.
func oneServer(_ *cobra.Command, args []string) error {
	const hint = "HOST is the name or the address of the server; -p sets its port"
	switch {
	case len(args) == 0:
		return &usage.Error{Problem: "no host is given", Hint: hint}
	case len(args) > 1:
		return &usage.Error{Arg: args[1], Problem: "one argument too many: " + usage.Quote(args[1]), Hint: hint}
	case args[0] == "":
		return &usage.Error{Problem: "the host is empty", Hint: hint}
	}
	return nil
}

// params reads the flags.
func (o *perfClientOptions) params(cmd *cobra.Command) (p perf.Params, err error) {
	set := cmd.Flags()
	if !set.Changed("length") {
		o.length.n = perfWrite
		if o.udp {
			o.length.n = perfDatagram
		}
	}
	if o.udp && !set.Changed("bitrate") {
		o.rate.n = perfRate
	}
	p = perf.Params{
		UDP: o.udp, Direction: perf.Forward, Streams: o.streams, Time: o.time.Duration,
		Bytes: o.bytes.n, Rate: o.rate.n, Length: int(min(o.length.n, perf.MaxLength+1)),
	}
	least, most := 1, perf.MaxLength
	if o.udp {
		least, most = perf.MinDatagram, perf.MaxDatagram
	}
	switch {
	case o.reverse && o.both:
		return p, &usage.Error{Arg: "--bidir", Problem: "-R/--reverse and --bidir exclude each other", Hint: "without them the client sends, with -R the server, with --bidir both"}
	case set.Changed("time") && set.Changed("bytes"):
		return p, &usage.Error{Arg: "-n", Problem: "-t/--time and -n/--bytes exclude each other", Hint: "the test ends after a time or after a number of bytes"}
	case set.Changed("bytes") && o.bytes.n == 0:
		return p, &usage.Error{Arg: "0", Problem: "-n/--bytes 0 is out of range", Hint: "-n/--bytes is at least 1"}
	case o.streams < 1 || o.streams > perf.MaxStreams:
		return p, outOfRange("-P/--parallel", o.streams, fmt.Sprintf("from 1 to %d", perf.MaxStreams))
	case p.Length < least || p.Length > most:
		return p, &usage.Error{
			Arg: set.Lookup("length").Value.String(), Problem: fmt.Sprintf("-l/--length %s is out of range", &o.length),
			Hint: fmt.Sprintf("-l/--length is from %d to %d", least, most),
		}
	case o.reverse:
		p.Direction = perf.Reverse
	case o.both:
		p.Direction = perf.Both
	}
	return p, p.Check()
}

func (o *perfClientOptions) run(cmd *cobra.Command, args []string) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	params, err := o.params(cmd)
	if err != nil {
		return err
	}
	m, err := o.machine.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	client := perf.Client{
		Dialer: m.Dialer(), Address: o.address(args[0]),
		TCP: o.family.Network("tcp"), UDP: o.family.Network("udp"),
		Finish: m.Finish, Interval: o.interval.Duration,
	}
	return client.Run(cmd.Context(), params, o.printer(cmd))
}
