package main

import (
	"path/filepath"

	"example.com/berth/cmd/berth/internal/labhost"
	"example.com/berth/cmd/berth/internal/usage"
	"github.com/spf13/cobra"
)

// notInLab are the flags that are about a network with a way to the world, with what
// there is in a lab instead.
var notInLab = []struct{ name, hint string }{
	{"allow", noRules},
	{"deny", noRules},
	{"ask", noRules},
	{"ask-time", noRules},
	{"policy", noRules},
	{"learn", noRules},
	{"events", "a lab has no rules and no events of theirs: --pcap has what this host sends and gets, --report what happens in the lab"},
	{"net", noWorld},
	{"publish", noWorld},
	{"loopback", noWorld},
	{"dns", "names in a lab are those of --host: they are in /etc/hosts"},
	{"mtu", "the MTU is that of the link, which the file of --shape may say"},
	{"line", "the lines between hosts are in the file of --shape; --delay, --loss and the like make this host's own a bad one"},
}

const (
	noWorld = "a lab is a network of its own, with no way to the world"
	noRules = "a lab has no rules: its hosts reach each other, and nothing else"
)

// readLab reads the flags of a lab. The error is a mistake in them, or in the file.
func (o *runOptions) readLab(cmd *cobra.Command) error {
	set := cmd.Flags()
	if !set.Changed("lab") {
		for _, name := range []string{"host", "shape", "report"} {
			if set.Changed(name) {
				return &usage.Error{Arg: "--" + name, Problem: "--" + name + " is about a lab, and there is none", Hint: "berth run --lab NAME --host HOST -- CMD"}
			}
		}
		return nil
	}
	for _, f := range notInLab {
		if set.Changed(f.name) {
			return &usage.Error{Arg: "--" + f.name, Problem: "--" + f.name + " has no meaning in a lab", Hint: f.hint}
		}
	}
	for _, n := range []struct{ flag, name string }{{"--lab", o.Lab.Lab}, {"--host", o.Lab.Host}} {
		if !labhost.ValidName(n.name) {
			return &usage.Error{Arg: n.name, Problem: n.flag + " " + usage.Quote(n.name) + " is no name", Hint: "a name is of letters, digits and hyphens: --lab mine --host alice"}
		}
	}
	if o.Lab.Shape != "" {
		if err := o.readShape(cmd); err != nil {
			return err
		}
	}
	return absolute(&o.Lab.Report)
}

// readShape finds mistakes in the file before a lab is made of it.
func (o *runOptions) readShape(cmd *cobra.Command) (err error) {
	if _, err := readLab(cmd.InOrStdin(), o.Lab.Shape); err != nil {
		return err
	}
	if o.Lab.Text, err = readFile(o.Lab.Shape); err != nil {
		return err
	}
	return absolute(&o.Lab.Shape)
}

// absolute makes a path good for a process that is elsewhere.
func absolute(path *string) (err error) {
	if *path != "" {
		*path, err = filepath.Abs(*path)
	}
	return err
}
