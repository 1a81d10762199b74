package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"example.com/berth/cmd/berth/internal/control"
	"example.com/berth/cmd/berth/internal/sockets"
	"example.com/berth/cmd/berth/internal/usage"
	"github.com/spf13/cobra"
)

type ssOptions struct {
	filter  sockets.Filter
	table   sockets.Table
	numeric bool
	kernel  bool
	berth   string
	json    bool
}

func newSS() *cobra.Command {
	var o ssOptions
	cmd := &cobra.Command{
		Use:   "ss [flags]",
		Short: "Show the sockets of a running berth, or of the kernel",
		Long: `Show sockets, as ss does: those of every running berth that has a host of its own
(--tun); if there is none, or with --kernel, those of the operating system.

Without -l or -a only connected sockets are shown.`,
		Example: `  berth ss -a
  berth ss -t -i --berth bt0
  berth ss --kernel -l -t -p
  berth ss -a --json | jq '.[].sockets[].local'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &usage.Error{Arg: args[0], Problem: "ss takes no argument " + usage.Quote(args[0]), Hint: "flags choose what is shown"}
		},
		RunE: o.run,
	}
	set := cmd.Flags()
	set.BoolVarP(&o.filter.TCP, "tcp", "t", false, "TCP sockets")
	set.BoolVarP(&o.filter.UDP, "udp", "u", false, "UDP sockets")
	set.BoolVarP(&o.filter.Raw, "raw", "w", false, "raw and ping sockets")
	set.BoolVarP(&o.filter.Listening, "listening", "l", false, "only sockets that listen or have no peer")
	set.BoolVarP(&o.filter.All, "all", "a", false, "sockets in all states")
	set.BoolVarP(&o.filter.IPv4, "ipv4", "4", false, "IPv4 sockets")
	set.BoolVarP(&o.filter.IPv6, "ipv6", "6", false, "IPv6 sockets")
	set.BoolVarP(&o.table.Info, "info", "i", false, "TCP's internals")
	set.BoolVarP(&o.table.Extended, "extended", "e", false, "owner, inode, memory")
	set.BoolVarP(&o.table.Timers, "options", "o", false, "timers")
	set.BoolVarP(&o.table.Process, "processes", "p", false, "which process has the socket open")
	set.BoolVarP(&o.table.NoHeader, "no-header", "H", false, "no line of heads")
	set.BoolVarP(&o.numeric, "numeric", "n", true, "numbers for ports, which is always so")
	set.StringVar(&o.berth, "berth", "", "show only the running berth `PID|NAME`: its process number, or its TUN")
	set.BoolVar(&o.kernel, "kernel", false, "the kernel's sockets, even if a berth is running")
	set.BoolVar(&o.json, "json", false, "JSON: a list of hosts, each with its sockets")
	set.Lookup("numeric").DefValue = "false"
	return cmd
}

// host is a table with whose it is.
type host struct {
	Source string `json:"source"` // "berth" or "kernel"
	*control.Info
	Sockets []sockets.Row `json:"sockets"`
}

func (o *ssOptions) run(cmd *cobra.Command, _ []string) error {
	if o.kernel && o.berth != "" {
		return &usage.Error{
			Arg: "--kernel", Problem: "--berth and --kernel exclude each other",
			Hint: "--berth shows the sockets of a running berth, --kernel those of the operating system",
		}
	}
	hosts, badly := o.hosts(cmd)
	if badly != nil && len(hosts) == 0 {
		return badly
	}
	hidden := 0
	for i := range hosts {
		var h int
		hosts[i].Sockets, h = o.filter.Choose(hosts[i].Sockets)
		hidden += h
	}
	out := cmd.OutOrStdout()
	if o.json {
		return errors.Join(printJSON(out, hosts), badly)
	}
	shown := 0
	for i := range hosts {
		if err := o.print(out, &hosts[i]); err != nil {
			return err
		}
		shown += len(hosts[i].Sockets)
	}
	if shown == 0 && hidden > 0 {
		say(cmd, "no connected sockets; -a shows others, of which there are %d", hidden)
	}
	return badly
}

// hosts gathers the tables that are asked for. Those that could be had come
// even with an error.
func (o *ssOptions) hosts(cmd *cobra.Command) ([]host, error) {
	if !o.kernel {
		running, err := control.List(cmd.Context())
		var hosts []host
		for i := range running {
			if b := &running[i]; o.berth == "" || b.Is(o.berth) {
				own(b)
				hosts = append(hosts, host{"berth", &b.Info, b.Sockets})
			}
		}
		switch {
		case len(hosts) > 0 || err != nil:
			return hosts, err
		case o.berth != "":
			return nil, fmt.Errorf("no running berth has the process number or the TUN %q", o.berth)
		case !o.json:
			say(cmd, "no berth with a host of its own is running: these are the kernel's sockets")
		}
	}
	rows, err := sockets.Kernel(o.table.Process)
	return []host{{"kernel", nil, rows}}, err
}

// own names the process that the sockets of a berth belong to.
func own(b *control.Berth) {
	for i := range b.Sockets {
		b.Sockets[i].Users = []sockets.User{{Name: "berth", PID: b.Info.PID}}
	}
}

func (o *ssOptions) print(out io.Writer, h *host) error {
	if h.Info != nil && !o.table.NoHeader {
		fmt.Fprintf(out, "# %s  %s  pid %d\n", h.Name, strings.Join(h.Addrs, " "), h.PID)
	}
	return o.table.Print(out, h.Sockets)
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
