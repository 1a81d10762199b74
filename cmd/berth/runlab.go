package main

import (
	"path/filepath"

	"example.com/berth/cmd/berth/internal/labhost"
	"example.com/berth/cmd/berth/internal/usage"
	"github.com/spf13/cobra"
)

// notInLab are the flags that are about a network with a way to the world.
var notInLab = []string{"allow", "deny", "ask", "ask-time", "policy", "learn", "events", "net", "publish", "loopback", "dns", "mtu", "line"}

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
	for _, name := range notInLab {
		if set.Changed(name) {
			return &usage.Error{Arg: "--" + name, Problem: "--" + name + " has no meaning in a lab", Hint: "a lab is a network of its own, with no way to the world"}
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
