package runner

import (
	"context"
	"os"
	"time"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/usage"
	"example.com/berth/bench/internal/workload"
)

// Job is one net under one workload.
type Job struct {
	Net      host.Net
	Workload workload.Workload
	Procs    int
}

// Plan is what to measure, and how.
type Plan struct {
	Jobs    []Job
	Reps    int
	Options workload.Options
	// Timeout ends a run that hangs.
	Timeout time.Duration
	// Noisy is how many cores others may use in a run that counts as quiet, and
	// Quiet how long to wait for that before each.
	Noisy float64
	Quiet time.Duration
	// Out, if not empty, is a file that every record is appended to.
	Out string
	// Report, if not nil, is told of every record.
	Report func(Record)
}

// Run goes round all jobs, Reps times. It ends early when ctx does; the error is
// then the context's, or that of writing the file. A run that fails is a record
// with an error.
func (p *Plan) Run(ctx context.Context) (all []Record, err error) {
	first, err := p.firstRep()
	if err != nil {
		return nil, err
	}
	for rep := first; rep < first+p.Reps; rep++ {
		for _, job := range p.Jobs {
			if ctx.Err() != nil {
				return all, ctx.Err()
			}
			p.awaitQuiet()
			r := p.spawn(ctx, job)
			r.Rep = rep
			all = append(all, r)
			if p.Report != nil {
				p.Report(r)
			}
			if p.Out != "" {
				if err := save(p.Out, r); err != nil {
					return all, err
				}
			}
		}
	}
	return all, nil
}

// firstRep counts on from the records that the file has.
func (p *Plan) firstRep() (first int, err error) {
	if p.Out == "" {
		return 0, nil
	}
	earlier, err := Load(p.Out)
	if os.IsNotExist(err) {
		return 0, nil
	}
	for _, r := range earlier {
		first = max(first, r.Rep+1)
	}
	return first, err
}

// awaitQuiet waits until others use little CPU.
func (p *Plan) awaitQuiet() {
	const step = 200 * time.Millisecond
	for start := time.Now(); time.Since(start) < p.Quiet; {
		before := usage.Machine()
		time.Sleep(step)
		if float64(usage.Machine()-before)/float64(step) < p.Noisy {
			return
		}
	}
}
