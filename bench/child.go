package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"

	"example.com/berth/bench/internal/nets"
	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/workload"
)

// child measures one net under one workload in this process, and prints metrics.
// By hand it is the way to a profile:
//
//	go build && unshare -n ./bench child -cpuprofile cpu.out berth-wire1500 bulk1
func child(_ context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("child", flag.ContinueOnError)
	options := flags.String("options", "", "options of the workload, as JSON")
	var profiles profiles
	profiles.add(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	n, ok := nets.ByName(flags.Arg(0))
	if !ok {
		return fmt.Errorf("unknown net %q", flags.Arg(0))
	}
	w, ok := workload.ByName(flags.Arg(1))
	if !ok {
		return fmt.Errorf("unknown workload %q", flags.Arg(1))
	}
	opts := defaults()
	if *options != "" {
		if err := json.Unmarshal([]byte(*options), &opts); err != nil {
			return err
		}
	}
	if err := profiles.start(); err != nil {
		return err
	}
	m, err := runner.Child(n, w, opts)
	if err := errors.Join(err, profiles.write()); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(m)
}

// profiles are files to write profiles to.
type profiles struct {
	cpu, memory, mutex, block string
	file                      *os.File
}

func (p *profiles) add(flags *flag.FlagSet) {
	flags.StringVar(&p.cpu, "cpuprofile", "", "write a CPU profile to `file`")
	flags.StringVar(&p.memory, "memprofile", "", "write a profile of allocations to `file`")
	flags.StringVar(&p.mutex, "mutexprofile", "", "write a profile of contention to `file`")
	flags.StringVar(&p.block, "blockprofile", "", "write a profile of waiting to `file`")
}

func (p *profiles) start() (err error) {
	if p.memory != "" {
		runtime.MemProfileRate = 512
	}
	if p.mutex != "" {
		runtime.SetMutexProfileFraction(5)
	}
	if p.block != "" {
		runtime.SetBlockProfileRate(10_000)
	}
	if p.cpu == "" {
		return nil
	}
	if p.file, err = os.Create(p.cpu); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.file)
}

func (p *profiles) write() error {
	var errs []error
	if p.file != nil {
		pprof.StopCPUProfile()
		errs = append(errs, p.file.Close())
	}
	for name, file := range map[string]string{"allocs": p.memory, "mutex": p.mutex, "block": p.block} {
		if file == "" {
			continue
		}
		f, err := os.Create(file)
		if err == nil {
			err = errors.Join(pprof.Lookup(name).WriteTo(f, 0), f.Close())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
