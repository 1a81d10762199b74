package labrun

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/berth/internal/labfile"
)

// startWeb starts the server of an http command, unless another command has
// started it.
func (r *run) startWeb(ctx context.Context, s *labfile.HTTP) error {
	address := (&net.TCPAddr{Port: int(s.Server.Port)}).String()
	return r.startOnce(ctx, s.Server.Host, "http/"+address, func(v *server) {
		v.open = func() (func(context.Context), error) {
			l, err := v.host.Listen("tcp", address)
			return func(ctx context.Context) {
				web := &http.Server{Handler: http.HandlerFunc(serveBody)}
				defer context.AfterFunc(ctx, func() { web.Close() })()
				defer web.Close()
				_ = web.Serve(l) // it ends with ctx, or with the host
			}, err
		}
	})
}

// serveBody answers /N with N bytes.
func serveBody(w http.ResponseWriter, q *http.Request) {
	n, err := strconv.ParseInt(strings.TrimPrefix(q.URL.Path, "/"), 10, 64)
	if err != nil {
		http.NotFound(w, q)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", fmt.Sprint(n))
	for n > 0 {
		k, err := w.Write(chunk[:min(n, int64(len(chunk)))])
		if err != nil {
			return
		}
		n -= int64(k)
	}
}

// A fetch is an http command that runs.
type fetch struct {
	*task
	spec *labfile.HTTP

	mu        sync.Mutex // guards what follows
	latencies []time.Duration
	failed    int
	err       error // of one that failed
}

// http asks for a body several times, and measures.
func (t *task) http(ctx context.Context, s *labfile.HTTP) error {
	f := &fetch{task: t, spec: s}
	began := t.net.Now()
	t.say("start", map[string]any{"to": target(s.To), "count": s.Count, "size": s.Size},
		"GET http://%s/ of %s, %s", target(s.To), labfile.Size.Format(float64(s.Size)), times(s.Count, "time"))
	var workers sync.WaitGroup
	for i := range s.Parallel {
		workers.Go(func() { f.work(ctx, i) })
	}
	workers.Wait()
	f.report(t.net.Now() - began)
	if len(f.latencies) == 0 && ctx.Err() == nil {
		return f.err
	}
	return nil
}

// work is one of those that ask in parallel: it has connections of its own, and
// asks every so-manieth time, whoever is fast.
func (f *fetch) work(ctx context.Context, i int) {
	transport := f.part(i).Transport()
	transport.DisableKeepAlives = !f.spec.KeepAlive
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: f.spec.Timeout}
	for n := i; n < f.spec.Count; n += f.spec.Parallel {
		if n > i && !pause(ctx, f.spec.Interval) {
			return
		}
		start := f.net.Now()
		err := f.get(ctx, client)
		if ctx.Err() != nil {
			return
		}
		f.done(i, n+1, f.net.Now()-start, err)
	}
}

func (f *fetch) get(ctx context.Context, client *http.Client) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/%d", target(f.spec.To), f.spec.Size), nil)
	if err != nil {
		return err
	}
	a, err := client.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", a.Status)
	}
	n, err := io.Copy(io.Discard, a.Body)
	if err == nil && n != f.spec.Size {
		err = fmt.Errorf("%d bytes came, not %d", n, f.spec.Size)
	}
	return err
}

// done enters what came of a request.
func (f *fetch) done(worker, n int, took time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.failed++
		f.err = plain(err)
		f.sayAs(worker, "error", map[string]any{"request": n, "error": f.err.Error()}, "request %d: %v", n, f.err)
		return
	}
	f.latencies = append(f.latencies, took)
	f.sayAs(worker, "reply", map[string]any{"request": n, "latency": took.Seconds()}, "request %d: %s", n, length(took))
}

// report sets the metrics.
func (f *fetch) report(took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	bytes := float64(len(f.latencies)) * float64(f.spec.Size)
	f.measured("ok", float64(len(f.latencies)))
	f.measured("failed", float64(f.failed))
	f.measured("bytes", bytes)
	f.took("time", took)
	if took > 0 {
		f.measured("goodput", bytes*8/took.Seconds())
	}
	if len(f.latencies) == 0 {
		return
	}
	slices.Sort(f.latencies)
	var sum time.Duration
	for _, d := range f.latencies {
		sum += d
	}
	f.took("latency-min", f.latencies[0])
	f.took("latency", sum/time.Duration(len(f.latencies)))
	f.took("latency-p50", percentile(f.latencies, 0.50))
	f.took("latency-p95", percentile(f.latencies, 0.95))
	f.took("latency-max", f.latencies[len(f.latencies)-1])
}

// percentile is the least of sorted values that the given share does not exceed.
func percentile(sorted []time.Duration, p float64) time.Duration {
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}
