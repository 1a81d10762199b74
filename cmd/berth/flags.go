package main

import (
	"fmt"

	"example.com/berth/cmd/berth/internal/machine"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reaching are the flags of all that talks to others.
type reaching struct {
	family  machine.Family
	machine machine.Flags
}

func (o *reaching) addFamily(set *pflag.FlagSet) {
	set.BoolVarP(&o.family.IPv4, "ipv4", "4", false, "IPv4 only")
	set.BoolVarP(&o.family.IPv6, "ipv6", "6", false, "IPv6 only")
}

// serving are the flags of what takes streams or datagrams.
type serving struct {
	reaching
	udp bool
}

func (o *serving) add(set *pflag.FlagSet) {
	set.BoolVarP(&o.udp, "udp", "u", false, "UDP instead of TCP")
	o.addFamily(set)
}

// say tells the person something, beside the data.
func say(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", cmd.CommandPath(), fmt.Sprintf(format, args...))
}
