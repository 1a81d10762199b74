package main

import (
	"strings"
	"text/template"

	"example.com/berth/cmd/berth/internal/machine"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageTemplate is how help goes on after the description.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}

Flags:
{{flags . false}}{{with flags . true}}

A host of berth's own, on a TUN:
{{.}}{{end}}{{if .HasAvailableSubCommands}}

'berth COMMAND --help' tells more of one of them.{{end}}
`

func init() { cobra.AddTemplateFuncs(template.FuncMap{"flags": flagUsages}) }

// helpWidth is that of the flags' descriptions, in columns.
const helpWidth = 84

// flagUsages describes the flags of a command: those of the machine, or the
// others.
func flagUsages(cmd *cobra.Command, ofMachine bool) string {
	var some pflag.FlagSet
	some.SortFlags = false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if machine.IsFlag(f) == ofMachine {
			some.AddFlag(f)
		}
	})
	return strings.TrimRight(some.FlagUsagesWrapped(helpWidth), "\n ")
}
