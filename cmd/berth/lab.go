package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/internal/labfile"
	"example.com/berth/internal/labrun"
	"example.com/berth/internal/term"
	"example.com/berth/lab"
	labreport "example.com/berth/lab/report"
	"github.com/spf13/cobra"
)

type labOptions struct {
	seed                uint64
	fake, wall          bool
	bound               seconds
	pcap, report        string
	quiet, json, schema bool
	check               bool
}

func newLab() *cobra.Command {
	var o labOptions
	cmd := &cobra.Command{
		Use:   "lab [flags] FILE",
		Short: "Run a network of hosts that a file describes",
		Long:  labHelp,
		Example: `  berth lab lossy.yaml
  berth lab --fake --seed 7 --report lossy.html lossy.yaml
  berth lab --json lossy.yaml | jq 'select(.type == "result") | .values'
  berth lab --schema > lab.schema.json`,
		Args: o.args,
		RunE: o.run,
	}
	set := cmd.Flags()
	set.Uint64Var(&o.seed, "seed", 0, "take all random values from `N`, not from the file's seed")
	set.BoolVar(&o.fake, "fake", false, "run on fake time, whatever the file says: in no time, and the same every time")
	set.BoolVar(&o.wall, "wall", false, "run on the wall clock, whatever the file says")
	set.Var(&o.bound, "for", "end the run after `TIME`")
	set.StringVar(&o.pcap, "pcap", "", "write all packets to `FILE`, in pcapng, with a remark on what was lost")
	set.StringVar(&o.report, "report", "", "write what happened to `FILE`, in HTML: topology, ladder, plots of TCP")
	set.BoolVarP(&o.quiet, "quiet", "q", false, "show what came of it only")
	set.BoolVar(&o.json, "json", false, "show everything as JSON, an object a line")
	set.BoolVar(&o.check, "check", false, "read the file, say what is wrong with it, and run nothing")
	set.BoolVar(&o.schema, "schema", false, "print the JSON schema of files, for editors")
	return cmd
}

// args takes the one file.
func (o *labOptions) args(_ *cobra.Command, args []string) error {
	const hint = "FILE is a network in YAML, or - for standard input; 'berth lab --help' shows one"
	switch {
	case o.schema && len(args) > 0:
		return &usage.Error{Arg: args[0], Problem: "--schema takes no file", Hint: "berth lab --schema > lab.schema.json"}
	case o.schema:
		return nil
	case len(args) == 0:
		return &usage.Error{Problem: "no file is given", Hint: hint}
	case len(args) > 1:
		return &usage.Error{Arg: args[1], Problem: "one argument too many: " + usage.Quote(args[1]), Hint: "one file is run at a time"}
	case o.fake && o.wall:
		return &usage.Error{Arg: "--wall", Problem: "--fake and --wall exclude each other", Hint: "without either it is as the file says"}
	}
	return nil
}

func (o *labOptions) run(cmd *cobra.Command, args []string) error {
	if o.schema {
		_, err := io.WriteString(cmd.OutOrStdout(), labfile.Schema)
		return err
	}
	f, err := readLab(cmd.InOrStdin(), args[0])
	if err != nil {
		return err
	}
	if err := o.adjust(cmd, f); err != nil {
		return err
	}
	if o.check {
		return checked(cmd, f)
	}
	options := labrun.Options{Show: o.printer(cmd), Record: -1}
	outputs, err := o.outputs()
	if err != nil {
		return err
	}
	if len(outputs) > 0 {
		options.Record = recorded
		options.After = func(n *lab.Network, r *labrun.Result) error { return o.leave(cmd, outputs, n, r) }
	}
	result, err := labrun.Play(cmd.Context(), f, options)
	switch {
	case err != nil:
		return labMistake(err)
	case !result.OK():
		return errSaid
	}
	return nil
}

// recorded is how many bytes of packets a capture or a report can have.
const recorded = 1 << 30

// adjust lets flags have the last word.
func (o *labOptions) adjust(cmd *cobra.Command, f *labfile.File) error {
	set := cmd.Flags()
	if set.Changed("seed") {
		f.Seed = o.seed
	}
	switch {
	case o.fake:
		f.Fake = true
	case o.wall:
		f.Fake = false
	}
	if set.Changed("for") {
		if f.For = o.bound.Duration; f.For <= 0 {
			return &usage.Error{Arg: o.bound.String(), Problem: "--for is no time at all", Hint: "--for TIME: seconds, or with a unit"}
		}
	}
	if f.Fake && f.Endless() {
		return &usage.Error{
			Problem: "nothing ends the run of " + f.Path,
			Hint:    "give it a time with --for 10s, or for: 10s in the file, or a command that ends",
		}
	}
	return nil
}

func (o *labOptions) printer(cmd *cobra.Command) labrun.Printer {
	out := cmd.OutOrStdout()
	if o.json {
		return labrun.JSON{Out: out}
	}
	return &labrun.Text{Out: out, Paint: term.For(out), Quiet: o.quiet}
}

// readLab reads a file, and what it refers to.
func readLab(in io.Reader, path string) (*labfile.File, error) {
	var text []byte
	var err error
	name := path
	if path == "-" {
		name = "stdin"
		text, err = io.ReadAll(io.LimitReader(in, labfile.MaxBytes+1))
	} else {
		text, err = readFile(path)
	}
	if err != nil {
		return nil, &usage.Error{Arg: path, Problem: fmt.Sprintf("cannot read %s: %s", usage.Quote(path), reason(err)), Hint: "FILE is a network in YAML; 'berth lab --help' shows one"}
	}
	open := func(trace string) (io.ReadCloser, error) {
		if path != "-" {
			trace = labfile.Beside(path, trace)
		}
		f, err := os.Open(trace)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %s", usage.Quote(trace), reason(err))
		}
		return f, nil
	}
	f, err := labfile.Parse(name, text, open)
	return f, labMistake(err)
}

// readFile reads no more of a file than can be a lab.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, labfile.MaxBytes+1))
}

// reason is why a file cannot be read, in a person's words.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.EISDIR):
		return "it is a directory"
	}
	return err.Error()
}

// A labError is a mistake in a lab file.
type labError struct{ labfile.Errors }

// Print shows the mistake, as [usage.Error] does one in the command line.
func (e *labError) Print(w io.Writer, cmd *cobra.Command, _ []string) {
	e.Errors.Print(w, cmd.CommandPath())
}

// labMistake makes mistakes in the file known as such.
func labMistake(err error) error {
	var mistakes labfile.Errors
	if errors.As(err, &mistakes) {
		return &labError{mistakes}
	}
	return err
}

// checked builds the network, and says that the file is good.
func checked(cmd *cobra.Command, f *labfile.File) error {
	if err := labrun.Check(f); err != nil {
		return labMistake(err)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %d hosts, %d links, %d events, %d commands\n",
		f.Path, len(f.Hosts), len(f.Links), len(f.Events), len(f.Commands))
	return err
}

// An output is a file that is written at the end.
type output struct {
	path  string
	file  *os.File
	write func(io.Writer, *lab.Network, *labreport.Recording) error
}

// outputs opens the files to write before the run, which may be long.
func (o *labOptions) outputs() (all []output, err error) {
	for _, out := range []output{
		{path: o.pcap, write: func(w io.Writer, n *lab.Network, _ *labreport.Recording) error { return n.WriteCapture(w) }},
		{path: o.report, write: func(w io.Writer, _ *lab.Network, r *labreport.Recording) error { return labreport.Write(w, r) }},
	} {
		if out.path == "" {
			continue
		}
		if out.file, err = os.Create(out.path); err != nil {
			return nil, &usage.Error{Arg: out.path, Problem: fmt.Sprintf("cannot write %s: %s", usage.Quote(out.path), reason(err))}
		}
		all = append(all, out)
	}
	return all, nil
}

// leave writes what was recorded.
func (o *labOptions) leave(cmd *cobra.Command, outputs []output, n *lab.Network, r *labrun.Result) error {
	recording := n.Recording()
	recording.Title, recording.Failed = r.File.Name, r.Failures()
	if recording.Title == "" {
		recording.Title = r.File.Path
	}
	recording.Repeat = fmt.Sprintf("berth lab --seed %d %s", r.File.Seed, r.File.Path)
	if r.File.Fake {
		recording.Repeat = fmt.Sprintf("berth lab --fake --seed %d %s", r.File.Seed, r.File.Path)
	}
	if recording.Truncated != "" {
		say(cmd, "%s did not fit and is not in the files", recording.Truncated)
	}
	var errs []error
	for _, out := range outputs {
		errs = append(errs, out.write(out.file, n, recording), out.file.Close())
	}
	return errors.Join(errs...)
}
