package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/bench/internal/stat"
)

// A workload is what the client does, on n connections or by n workers.
type workload struct {
	name, about   string
	primary, unit string
	lowerIsBetter bool
	n             int
	begin         func(r *inside, n int) error // returns when it is under way
}

var workloads = []workload{
	{name: "up1", about: "one stream from the program", primary: "gbps", unit: "Gbit/s", n: 1, begin: streamUp},
	{name: "up8", about: "8 streams from the program", primary: "gbps", unit: "Gbit/s", n: 8, begin: streamUp},
	{name: "down1", about: "one stream to the program", primary: "gbps", unit: "Gbit/s", n: 1, begin: streamDown},
	{name: "down8", about: "8 streams to the program", primary: "gbps", unit: "Gbit/s", n: 8, begin: streamDown},
	{name: "rr", about: "a byte there and back", primary: "p50_us", unit: "us p50", lowerIsBetter: true, n: 1, begin: requests},
	{name: "crr", about: "connect, a byte there and back, close; 16 at once", primary: "ops", unit: "connections/s", n: 16, begin: connections},
	{name: "udp", about: "datagrams of 1400 bytes there and back, at most 32 on the way", primary: "ops", unit: "datagrams/s", n: 32, begin: datagrams},
	{name: "udprr", about: "a datagram there and back", primary: "p50_us", unit: "us p50", lowerIsBetter: true, n: 1, begin: datagrams},
	{name: "flows", about: "memory with 1000 connections", primary: "rss_MB", unit: "MB", lowerIsBetter: true, n: 1000, begin: hold},
}

func workloadNamed(name string) workload {
	for _, w := range workloads {
		if w.name == name {
			return w
		}
	}
	return workload{name: name}
}

// A result is what the client tells at the end.
type result struct {
	Bytes, Ops, Lost int64
	P50, P99         time.Duration
}

// metrics joins what the client did with what it cost.
func (r *result) metrics(idle, begin, end spent) map[string]float64 {
	wall := end.at.Sub(begin.at).Seconds()
	contender, all := (end.contender - begin.contender).Seconds(), (end.all - begin.all).Seconds()
	const us = float64(time.Microsecond)
	return map[string]float64{
		"gbps":           float64(r.Bytes) * 8 / 1e9 / wall,
		"ops":            float64(r.Ops) / wall,
		"p50_us":         float64(r.P50) / us,
		"p99_us":         float64(r.P99) / us,
		"lost":           stat.Ratio(float64(r.Lost), float64(r.Ops+r.Lost)),
		"cpu_s_per_GB":   stat.Ratio(contender, float64(r.Bytes)/1e9),
		"all_s_per_GB":   stat.Ratio(all, float64(r.Bytes)/1e9),
		"cpu_us_per_op":  stat.Ratio(contender*1e6, float64(r.Ops)),
		"all_us_per_op":  stat.Ratio(all*1e6, float64(r.Ops)),
		"rss_MB":         end.rss / 1e6,
		"idle_rss_MB":    idle.rss / 1e6,
		"contender_cpus": contender / wall,
		"other_cores":    max(0, (end.others-begin.others).Seconds()/wall),
	}
}

// inside is the client at work.
type inside struct {
	target    string
	measuring atomic.Bool
	bytes     atomic.Int64 // received, of all time
	lost      atomic.Int64 // while measuring
	held      chan net.Conn

	mu   sync.Mutex
	took []time.Duration // while measuring
	err  error           // the first
}

// client runs a workload as it is told to, line by line.
func client(j Job, in io.Reader, out io.Writer) error {
	if err := mtuIs(j); err != nil {
		return err
	}
	w := workloadNamed(j.Workload)
	r := &inside{target: net.JoinHostPort(j.Target, port)}
	said := bufio.NewScanner(in)
	step := func(say, hear string) error {
		if _, err := fmt.Fprintln(out, say); err != nil {
			return err
		}
		if !said.Scan() || said.Text() != hear {
			return errors.Join(fmt.Errorf("told %q, not %q", said.Text(), hear), said.Err())
		}
		return nil
	}
	if err := step("up", "connect"); err != nil {
		return err
	}
	if err := w.begin(r, w.n); err != nil {
		return err
	}
	if err := step("ready", "start"); err != nil {
		return err
	}
	before := r.bytes.Load()
	r.measuring.Store(true)
	if !said.Scan() { // "stop"
		return said.Err()
	}
	r.measuring.Store(false)
	res := result{Bytes: r.bytes.Load() - before, Lost: r.lost.Load()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	slices.Sort(r.took)
	if n := len(r.took); n > 0 {
		res.Ops, res.P50, res.P99 = int64(n), r.took[n/2], r.took[n*99/100]
	}
	return json.NewEncoder(out).Encode(res)
}

// mtuIs makes sure that the program's interface has the MTU that was asked for.
func mtuIs(j Job) error {
	if j.Contender == "loopback" {
		return nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.MTU == j.MTU {
			return nil
		}
	}
	return fmt.Errorf("no interface has an MTU of %d: %v", j.MTU, all)
}

// dial asks the server for something. The first may be early: contenders that are
// not up yet refuse.
func (r *inside) dial(ask byte) (c net.Conn, err error) {
	for range 50 {
		if c, err = net.DialTimeout("tcp", r.target, 10*time.Second); err == nil {
			_, err = c.Write([]byte{ask})
			return c, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, err
}

// work runs an operation again and again and notes how long each took.
func (r *inside) work(op func() error) {
	for {
		start, counts := time.Now(), r.measuring.Load()
		err := op()
		took := time.Since(start)
		r.mu.Lock()
		if err != nil {
			r.err = errors.Join(r.err, err)
			r.mu.Unlock()
			return
		}
		if counts && r.measuring.Load() {
			r.took = append(r.took, took)
		}
		r.mu.Unlock()
	}
}
