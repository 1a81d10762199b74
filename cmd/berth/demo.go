package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/berth/cmd/berth/internal/demo"
	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/internal/term"
	"github.com/spf13/cobra"
)

type demoOptions struct {
	loss  probability
	delay seconds
	seed  uint64
	pcap  string
	json  bool
}

// defaultSeed is a day on the wire on which each scene loses something.
const defaultSeed = 10733

func newDemo() *cobra.Command {
	o := demoOptions{loss: 0.03, delay: seconds{Duration: 2 * time.Millisecond, most: 10 * time.Second}}
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "The whole path on a network in memory: sockets, segments, losses",
		Long: `Make two hosts in memory, alice and bob, on a wire that loses and delays packets,
and run programs on them: an echo over stream sockets, one over datagram sockets,
a ping over raw sockets, and a download over HTTP. Everything is shown: each call
on a socket with its five-tuple and state, each packet on the wire, the tables of
sockets, and what was lost and sent again. It needs no privileges and touches no
network of the machine.

The exit status is 0 only if every byte came back.`,
		Example: `  berth demo
  berth demo --loss 10% --delay 20ms --seed 7
  berth demo --pcap demo.pcapng && tshark -r demo.pcapng
  berth demo --json | jq .wire`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &usage.Error{Arg: args[0], Problem: "demo takes no argument " + usage.Quote(args[0]), Hint: "flags say how bad the wire is"}
		},
		RunE: o.run,
	}
	set := cmd.Flags()
	set.Var(&o.loss, "loss", "lose the share `P` of all packets: from 0 to 1, or a percentage")
	set.Var(&o.delay, "delay", "let each packet be on its way for `TIME`")
	set.Uint64Var(&o.seed, "seed", defaultSeed, "choose which packets are lost: the same `N` loses the same ones")
	set.StringVar(&o.pcap, "pcap", "", "write what was sent to `FILE`, in pcapng, with a remark on what was lost")
	set.BoolVar(&o.json, "json", false, "show everything as JSON")
	return cmd
}

func (o *demoOptions) run(cmd *cobra.Command, _ []string) error {
	out := cmd.OutOrStdout()
	cfg := demo.Config{Loss: float64(o.loss), Delay: o.delay.Duration, Seed: o.seed, Keep: o.pcap != ""}
	screen := &demo.Screen{Out: out, Width: term.Width(out), Paint: term.For(out)}
	if o.json {
		screen.Out = io.Discard
	}
	screen.Begin(&cfg)
	r, err := demo.Play(cmd.Context(), cfg, screen.Scene)
	if err != nil {
		return err
	}
	if o.json {
		err = printJSON(out, demo.JSON(r))
	} else {
		err = screen.End(r)
	}
	if err == nil && o.pcap != "" {
		err = o.capture(r)
	}
	if err == nil && !r.OK() {
		return errSaid
	}
	return err
}

// capture writes the packets to a file.
func (o *demoOptions) capture(r *demo.Result) error {
	f, err := os.Create(o.pcap)
	if err != nil {
		return err
	}
	return errors.Join(r.Capture(f), f.Close())
}

// probability is a flag's value from 0 to 1, or a percentage.
type probability float64

func (p *probability) String() string { return strconv.FormatFloat(float64(*p), 'g', -1, 64) }
func (p *probability) Type() string   { return "probability" }

func (p *probability) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(number, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) { // NaN is neither
		return errors.New("want a probability from 0 to 1, or a percentage such as 2%")
	}
	*p = probability(f)
	return nil
}
