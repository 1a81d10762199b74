package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"example.com/berth/cmd/berth/internal/runner"
	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/internal/box"
	"example.com/berth/internal/policy"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitRun is the status of run where berth failed, not the program: as of env(1).
const exitRun = 125

// An exitStatus ends a command with a status, all being said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

type runOptions struct {
	runner.Options
	net      string
	ask      bool
	publish  []string
	loopback string
	dns      []string
	line     lineOptions
}

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [flags] -- CMD [ARG...]",
		Short: "Run a program on a network of its own, by rules",
		Long:  runHelp,
		Example: `  berth run -- curl https://example.com/
  berth run --allow '*.example.com:443' --allow tcp/10.0.0.0/8:22 -- ./build.sh
  berth run --ask --learn agent.yaml -- ./agent
  berth run --net none -- make test
  berth run -p 8080:80 -- python3 -m http.server 80
  berth run --line 'api.example.com: delay=200ms,loss=2%' -- ./program
  berth run --profile 3g --pcap slow.pcapng -- curl https://example.com/
  berth run --lab mine --host web -- python3 -m http.server 80
  berth run --lab mine --host alice -- curl http://web/`,
		Args: o.program,
		RunE: o.run,
	}
	set := cmd.Flags()
	set.SetInterspersed(false) // what comes after CMD is CMD's
	set.Var(ruleFlag{&o.Rules, true}, "allow", "let the program reach `RULE`; may be repeated, the first rule that matches decides")
	set.Var(ruleFlag{&o.Rules, false}, "deny", "keep it from reaching `RULE`; may be repeated")
	set.BoolVar(&o.ask, "ask", false, "ask at the terminal about what no rule decides")
	set.DurationVar(&o.Ask, "ask-time", time.Minute, "with --ask, take no answer within `TIME` for no")
	set.StringVar(&o.Policy, "policy", "", "go by the rules of `FILE`, too, after those of flags; it is read again when it changes")
	set.StringVar(&o.Learn, "learn", "", "write to `FILE` the policy that allows what it was let do")
	set.StringVar(&o.Events, "events", "", "append every decision, flow and name to `FILE`, in JSON, an object a line")
	set.StringVar(&o.net, "net", "full", "how far its network goes: `NET` is full, host-only or none")
	set.StringArrayVarP(&o.publish, "publish", "p", nil, "let this machine's port OUT reach its port IN: `PORTS` is [BIND:]OUT:IN[/udp]; may be repeated")
	set.StringVar(&o.loopback, "loopback", "", "let it reach this machine's loopback as "+runner.LoopbackName+", with =`ADDR` at that address")
	set.Lookup("loopback").NoOptDefVal = runner.LoopbackAliases[0].String()
	set.StringArrayVar(&o.dns, "dns", nil, "ask the name server `ADDR` for it, not this machine's; may be repeated")
	set.IntVar(&o.MTU, "mtu", box.DefaultMTU, "set the MTU of its interface to `BYTES`")
	o.line.add(set)
	set.StringVar(&o.Lab.Lab, "lab", "", "make it a host of the lab `NAME`, a network of its own that other runs are on, and nothing else")
	set.StringVar(&o.Lab.Host, "host", "", "call it `NAME` in the lab")
	set.StringVar(&o.Lab.Shape, "shape", "", "let the lab be what `FILE` describes, as berth lab does it, rather than a switch")
	set.StringVar(&o.Lab.Report, "report", "", "write what happened in the lab to `FILE` when it ends, in HTML")
	set.StringVar(&o.Pcap, "pcap", "", "write what it sends and gets to `FILE`, in pcapng")
	set.BoolVar(&o.Root, "root", false, "make it root in its namespace, with no more rights to files than yours")
	set.BoolVarP(&o.Quiet, "quiet", "q", false, "do not say what was denied")
	set.BoolVarP(&o.Verbose, "verbose", "v", false, "say each flow, and what the network does without")
	return cmd
}

// program wants a program. An address in its place is that of --loopback, whose value
// is optional and so stands behind an =.
func (o *runOptions) program(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &usage.Error{Problem: "no program is given", Hint: "berth run [flags] -- CMD [ARG...]"}
	}
	if _, err := netip.ParseAddr(args[0]); err == nil && o.loopback == runner.LoopbackAliases[0].String() {
		return &usage.Error{Arg: args[0], Problem: usage.Quote(args[0]) + " is an address, and no program", Hint: "--loopback takes an address behind an =: --loopback=" + args[0]}
	}
	return nil
}

func (o *runOptions) run(cmd *cobra.Command, args []string) error {
	o.Args, o.Err = args, cmd.ErrOrStderr()
	if err := o.read(); err != nil {
		return err
	}
	if err := o.idle(cmd.Flags()); err != nil {
		return err
	}
	if err := o.readLab(cmd); err != nil {
		return err
	}
	end, err := runner.Run(o.Options)
	var program *box.ProgramError
	switch {
	case errors.As(err, &program):
		fmt.Fprintf(o.Err, "%s: %v\n", cmd.CommandPath(), program)
		return exitStatus(program.ExitCode())
	case errors.Is(err, runner.ErrNoTerminal):
		return &usage.Error{Arg: "--ask", Problem: err.Error(), Hint: "without --ask, --allow and --deny say what the program may reach"}
	case err != nil:
		return policyMistake(err)
	case end.Interrupted:
		dieOf(syscall.SIGINT)
		fallthrough
	case end.ExitCode() != 0:
		return exitStatus(end.ExitCode())
	}
	return nil
}

// read makes of the flags what they mean. The error is a *usage.Error.
func (o *runOptions) read() error {
	nets := map[string]runner.Net{"full": runner.Full, "host-only": runner.HostOnly, "none": runner.None}
	var ok bool
	if o.Net, ok = nets[o.net]; !ok {
		return &usage.Error{Arg: o.net, Problem: "unknown --net " + usage.Quote(o.net), Hint: "--net is full, host-only or none"}
	}
	if o.MTU < 1280 || o.MTU > 65535 {
		return outOfRange("--mtu", o.MTU, "from 1280, which IPv6 needs, to 65535")
	}
	if o.Net == runner.None {
		for _, p := range o.publish {
			return &usage.Error{Arg: p, Problem: "with --net none nothing can be published", Hint: "--net host-only has published ports, and no way out"}
		}
	}
	if err := o.readAsk(); err != nil {
		return err
	}
	for _, text := range o.publish {
		p, err := parsePublish(text)
		if err != nil {
			return err
		}
		o.Publish = append(o.Publish, p)
	}
	if err := o.readAddrs(); err != nil {
		return err
	}
	o.Down, o.Up = o.line.read()
	o.Lines, o.Seed = o.line.special, o.line.seed
	return nil
}

// readAsk reads --ask.
func (o *runOptions) readAsk() error {
	switch {
	case o.ask && o.Ask <= 0:
		return &usage.Error{Arg: "--ask-time", Problem: "an answer takes time", Hint: "--ask-time is more than 0, such as 60s"}
	case !o.ask:
		o.Ask = 0
	case o.Net != runner.Full:
		return &usage.Error{Arg: "--ask", Problem: "with --net " + o.net + " there is nothing to ask about", Hint: "--ask goes with --net full"}
	}
	return nil
}

// readAddrs reads the flags that are addresses.
func (o *runOptions) readAddrs() error {
	switch {
	case o.Net == runner.None:
	case o.loopback == runner.LoopbackAliases[0].String() || o.loopback == "" && o.Net == runner.HostOnly:
		o.Loopback = runner.LoopbackAliases
	case o.loopback != "":
		a, err := netip.ParseAddr(o.loopback)
		if err != nil || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.Is4In6() || a.Zone() != "" {
			return &usage.Error{
				Arg: o.loopback, Problem: "invalid --loopback " + usage.Quote(o.loopback),
				Hint: "--loopback=ADDR is an address that the program has no other use for, such as 192.0.0.3, which it is without =ADDR",
			}
		}
		o.Loopback = []netip.Addr{a}
	}
	for _, s := range o.dns {
		if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
			o.DNS = append(o.DNS, netip.AddrPortFrom(a, 53))
			continue
		}
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return &usage.Error{Arg: s, Problem: "invalid --dns " + usage.Quote(s) + ": it is not an IP address", Hint: "--dns takes 10.0.0.1, 10.0.0.1:53 or [fd00::1]:53"}
		}
		o.DNS = append(o.DNS, a)
	}
	return nil
}

// ruleFlag is a flag of rules: those that allow and those that deny are one list.
type ruleFlag struct {
	rules *[]*policy.Rule
	allow bool
}

var _ pflag.Value = ruleFlag{}

func (f ruleFlag) String() string { return "" }
func (f ruleFlag) Type() string   { return "rule" }

func (f ruleFlag) Set(text string) error {
	r, err := policy.ParseRule(f.allow, text)
	if err != nil {
		return err
	}
	*f.rules = append(*f.rules, r)
	return nil
}

// A policyError is a mistake in a policy file.
type policyError struct{ policy.FileErrors }

// Print shows the mistake, as [usage.Error] does one in the command line.
func (e *policyError) Print(w io.Writer, cmd *cobra.Command, _ []string) {
	e.FileErrors.Print(w, cmd.CommandPath())
}

// policyMistake makes mistakes in the file known as such.
func policyMistake(err error) error {
	var mistakes policy.FileErrors
	if errors.As(err, &mistakes) {
		return &policyError{mistakes}
	}
	return err
}
