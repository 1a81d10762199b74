package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// A Job is one trial: what each of the command's processes is told.
type Job struct {
	Contender, Workload string
	MTU, Rep            int
	Warm, Time          time.Duration
	Program, Berth      string // paths: of this command, and of berth or a contender of that name
	Target              string // the outside's loopback, for the client
}

// roles are what the first argument may be, for the processes of a trial.
var roles = map[string]func(Job) error{
	"outside": outside,
	"trial":   func(j Job) error { return trial(j, os.Stdout) },
	"client":  func(j Job) error { return client(j, os.Stdin, os.Stdout) },
}

func main() {
	err := dispatch(os.Args[1:], os.Stdout)
	switch {
	case err == flag.ErrHelp:
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

func dispatch(args []string, out io.Writer) error {
	if len(args) == 2 {
		if role, ok := roles[args[0]]; ok {
			var j Job
			if err := json.Unmarshal([]byte(args[1]), &j); err != nil {
				return err
			}
			return role(j)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return measure(ctx, args, out)
}

// arg is the job as an argument.
func (j Job) arg() string {
	b, err := json.Marshal(j)
	if err != nil {
		panic(err) // it is plain data
	}
	return string(b)
}
