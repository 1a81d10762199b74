package main

import (
	"context"
	"io"
	"runtime/debug"

	"example.com/berth/cmd/berth/internal/usage"
	"github.com/spf13/cobra"
)

// execute runs a command line and returns its exit status.
func execute(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(append([]string{}, args...)) // of nil it would make os.Args
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	cmd, err := root.ExecuteContextC(ctx)
	return report(ctx, cmd, args, err, errs)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "berth COMMAND",
		Short: "A TCP/IP host in user space, with Berkeley sockets",
		Long: `berth is a TCP/IP host in user space, with Berkeley sockets.

Begin with 'berth demo': two hosts, a bad wire between them, and every byte
comes back. The other commands use the operating system's sockets, or with --tun
a host of berth's own that is one more machine on the network.`,
		Example: `  berth demo
  berth ping -c 3 localhost
  berth echo --tun bt0 --host-addr 10.77.0.1/24 --addr 10.77.0.2/24 :50007
  berth ss -a`,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Use: "help", Hidden: true})
	root.SetUsageTemplate(usageTemplate)
	root.SetVersionTemplate("berth {{.Version}}\n")
	root.SetFlagErrorFunc(usage.FromFlag)
	root.Flags().SortFlags = false
	root.AddCommand(newDemo(), newEcho(), newListen(), newConnect(), newPerf(), newPing(), newSS(), newRun(), newLab(), newScript())
	for _, cmd := range root.Commands() {
		cmd.Flags().SortFlags = false
		cmd.DisableFlagsInUseLine = true
	}
	return root
}

// noSuchCommand refuses what is no command, and says which one may be meant.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	hint := "'berth --help' lists the commands"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean 'berth " + near[0] + "'?"
	}
	return &usage.Error{Arg: args[0], Problem: "unknown command " + usage.Quote(args[0]), Hint: hint}
}

// version is the module's, with the revision that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				v += " " + s.Value[:12]
			}
		}
	}
	return v + " (" + info.GoVersion + ")"
}
