// Package runner runs workloads over nets, each in a process and a network
// namespace of its own, and keeps what comes out as lines of JSON.
package runner

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"example.com/berth/bench/internal/host"
)

// Record is one run.
type Record struct {
	Net, Workload string
	Procs         int // GOMAXPROCS
	Rep           int
	Err           string `json:",omitempty"`
	Metrics       host.Metrics
}

// Load reads the records of files.
func Load(files ...string) (all []Record, err error) {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			var r Record
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				f.Close()
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			all = append(all, r)
		}
		err = lines.Err()
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// save appends a record to a file.
func save(name string, r Record) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	return json.NewEncoder(f).Encode(r)
}
