package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/netns"
	"example.com/berth/bench/internal/workload"
)

// spawn runs a job in a child process.
func (p *Plan) spawn(ctx context.Context, job Job) Record {
	r := Record{Net: job.Net.Name, Workload: job.Workload.Name, Procs: job.Procs}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	options, err := json.Marshal(p.Options)
	if err != nil {
		r.Err = err.Error()
		return r
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "child", "-options", string(options), r.Net, r.Workload)
	cmd.SysProcAttr = netns.Clone()
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", job.Procs))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &r.Metrics)
	}
	if err != nil {
		r.Err = shorten(fmt.Sprintf("%v: %s", err, errs.String()))
	}
	return r
}

// shorten cuts an error to what a line can show.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const most = 500
	if len(s) > most {
		s = s[:most]
	}
	return s
}

// errNoDatagrams is a net that has streams only.
var errNoDatagrams = errors.New("there are no datagrams")

// Child runs a workload over a net in this process, which is one of its own.
func Child(n host.Net, w workload.Workload, opts workload.Options) (host.Metrics, error) {
	if n.Direct != nil {
		f, ok := n.Direct[w.Name]
		if !ok {
			return nil, fmt.Errorf("%s has no %s", n.Name, w.Name)
		}
		return f()
	}
	if w.Direct {
		return nil, fmt.Errorf("%s is not measured over %s", w.Name, n.Name)
	}
	p, err := n.Open()
	if err != nil {
		return nil, err
	}
	if w.Datagrams && p.StreamsOnly {
		return nil, errNoDatagrams
	}
	m, err := w.Run(p, opts)
	if err != nil {
		return nil, err
	}
	if p.Counters != nil {
		for k, v := range p.Counters() {
			m[k] = v
		}
	}
	return m, nil
}

// Fits tells whether a net has a workload at all. References without datagrams
// are found out only when they run.
func Fits(n host.Net, w workload.Workload) bool {
	if n.Direct != nil {
		return n.Direct[w.Name] != nil
	}
	return !w.Direct
}
