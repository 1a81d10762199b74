package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/lab/script"
	"example.com/berth/link/pcapng"
	"github.com/spf13/cobra"
)

type scriptOptions struct {
	variants, verbose, json bool
	junit, pcap, profile    string
	defines, settings       []string
}

func newScript() *cobra.Command {
	var o scriptOptions
	cmd := &cobra.Command{
		Use:   "script [flags] FILE...",
		Short: "Run packet scripts against a host of berth's own",
		Long: `Run test scripts in packetdrill's language: socket calls, and packets that come in
and that the host is to answer with, on one time axis. A FILE is a script or a
directory of them (*.pkt). Each runs on a host and a clock of its own, in no time,
and needs no privilege.

The exit status is 0 if all passed, 1 if one failed or could not run because it
asks for what berth does not have, which is told apart.`,
		Example: `  berth script lab/script/testdata
  berth script --variants -v handshake.pkt
  berth script -D CUBIC -o tolerance_usecs=10000 --pcap out.pcapng loss.pkt`,
		Args: someScripts,
		RunE: o.run,
	}
	set := cmd.Flags()
	set.BoolVar(&o.variants, "variants", false, "run each with IPv4, IPv6, and IPv4 on IPv6 sockets")
	set.StringArrayVarP(&o.defines, "define", "D", nil, "define `NAME` or NAME=VALUE, for #ifdef and in place of the name")
	set.StringArrayVarP(&o.settings, "option", "o", nil, "set an option of all scripts, `NAME=VALUE` without its dashes")
	set.StringVar(&o.profile, "profile", "linux", "give the host the defaults of `SYSTEM`, linux or freebsd")
	set.BoolVarP(&o.verbose, "verbose", "v", false, "show each event when it happens, and notes")
	set.BoolVar(&o.json, "json", false, "show results as JSON, an object a line")
	set.StringVar(&o.junit, "junit", "", "write results to `FILE`, in JUnit's XML")
	set.StringVar(&o.pcap, "pcap", "", "write the packets to `FILE`, in pcapng, an interface a run")
	return cmd
}

// someScripts takes at least one file.
func someScripts(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &usage.Error{Problem: "no script is given", Hint: "FILE is a script, or a directory with files that end in .pkt"}
	}
	return nil
}

// A scriptRun is one run of a script, with how it went.
type scriptRun struct {
	file    string
	script  *script.Script // nil: it could not be read
	variant script.Variant
	result  *script.Result
	log     strings.Builder
}

func (o *scriptOptions) run(cmd *cobra.Command, args []string) (err error) {
	profile, err := script.ParseProfile(o.profile)
	if err != nil {
		return &usage.Error{Arg: o.profile, Problem: err.Error()}
	}
	files, err := scriptFiles(args)
	if err != nil {
		return err
	}
	runs, err := o.read(files)
	if err != nil {
		return err
	}
	var capture *pcapng.Writer
	if o.pcap != "" {
		f, err := os.Create(o.pcap)
		if err != nil {
			return err
		}
		defer f.Close()
		capture = pcapng.NewWriter(f, pcapng.Options{})
	}
	o.playAll(runs, profile, capture)
	if capture != nil {
		if err := capture.Close(); err != nil {
			return err
		}
	}
	if o.junit != "" {
		if err := writeJUnit(o.junit, runs); err != nil {
			return err
		}
	}
	return o.show(cmd.OutOrStdout(), runs)
}

// scriptFiles finds the scripts in files and directories.
func scriptFiles(args []string) (list []string, err error) {
	for _, arg := range args {
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (path == arg || filepath.Ext(path) == ".pkt") {
				list = append(list, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		return nil, &usage.Error{Arg: args[0], Problem: "there is no script in " + usage.Quote(args[0]), Hint: "scripts end in .pkt"}
	}
	return list, nil
}

// read makes the runs of all files.
func (o *scriptOptions) read(files []string) (runs []*scriptRun, err error) {
	defines := make(map[string]string)
	for _, d := range o.defines {
		name, value, _ := strings.Cut(d, "=")
		defines[name] = value
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		s, err := script.Parse(f, src, defines)
		if err != nil {
			runs = append(runs, &scriptRun{file: f, result: &script.Result{Script: f, Err: err}})
			continue
		}
		list := s.Variants()
		if !o.variants {
			list = list[:1]
		}
		for _, v := range list {
			runs = append(runs, &scriptRun{file: f, script: s, variant: v})
		}
	}
	return runs, nil
}

// playAll runs scripts side by side.
func (o *scriptOptions) playAll(runs []*scriptRun, profile script.Profile, capture *pcapng.Writer) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, r := range runs {
		if r.script == nil {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			cfg := script.Config{Variant: r.variant, Profile: profile, Capture: capture, Options: o.settings}
			if o.verbose {
				cfg.Log = &r.log
			}
			r.result = r.script.Run(cfg)
		})
	}
	wg.Wait()
}

// name is the script with the kind of addresses.
func (r *scriptRun) name() string { return fmt.Sprintf("%s (%v)", r.file, r.variant) }

// verdict is one word.
func (r *scriptRun) verdict() string {
	switch {
	case r.result.Passed():
		return "ok"
	case r.result.Unsupported():
		return "not supported"
	}
	return "FAILED"
}
