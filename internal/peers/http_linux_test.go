package peers

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/netconn"
)

// bulk and little are how much is transferred over a good and over a bad line.
func bulk() int64 {
	if race {
		return 10 << 20
	}
	return 100 << 20
}

func little() int64 {
	if race {
		return 2 << 20
	}
	return 10 << 20
}

func TestHTTP(t *testing.T) {
	testnet.NeedTool(t, "curl")
	tun(t, nil).each(func(w *world, f family) { w.http(f, bulk()) })
}

// TestHTTPOverABadLine loses and reorders in both directions.
func TestHTTPOverABadLine(t *testing.T) {
	testnet.NeedTool(t, "curl")
	var line *impair.Device
	w := tun(t, func(dev link.Device) link.Device { line = badLine(t, dev); return line })
	w.each(func(w *world, f family) { w.http(f, little()) })
	for _, s := range []impair.Stats{line.OutputStats(), line.InputStats()} {
		if s.Lost == 0 || s.Reordered == 0 {
			t.Errorf("the line was not bad: %+v", s)
		}
	}
}

// badLine loses one packet in a hundred and lets some overtake others.
func badLine(t *testing.T, dev link.Device) *impair.Device {
	bad := impair.Config{
		Seed: 1, Loss: 0.01,
		Reorder: 0.005, ReorderGap: 3, ReorderHold: 2 * time.Millisecond,
	}
	d := impair.New(dev, bad)
	bad.Seed = 2
	if err := d.SetInput(bad); err != nil {
		t.Fatal(err)
	}
	return d
}

// http transfers size bytes in each direction between a server on either side
// and a client on the other.
func (w *world) http(f family, size int64) {
	w.Run("curl", func(t *testing.T) {
		at := netip.AddrPortFrom(f.berth, 80)
		ln, err := netconn.Listen(w.berth, "tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		serve(t, ln, size)
		w.curl(t, at, size)
	})
	w.Run("net/http", func(t *testing.T) {
		ln := w.kernelListen(t, netip.AddrPortFrom(f.kernel, 80))
		serve(t, ln, size)
		url := "http://" + ln.Addr().String() + "/"
		transport := &http.Transport{DialContext: (&netconn.Dialer{Provider: w.berth}).DialContext}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		do := func(t *testing.T, method string, body io.Reader, into io.Writer) {
			t.Helper()
			req, err := http.NewRequestWithContext(w.ctx, method, url, body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if n, err := io.Copy(into, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s after %d bytes: %v", resp.Status, n, err)
			}
		}
		t.Run("download", func(t *testing.T) {
			d := newDigest()
			do(t, http.MethodGet, nil, d)
			if d.String() != contentHash(size) {
				t.Errorf("berth got %d other bytes", d.n)
			}
		})
		t.Run("upload", func(t *testing.T) {
			var got bytes.Buffer
			do(t, http.MethodPut, content(size), &got)
			if got.String() != contentHash(size) {
				t.Errorf("the kernel got what hashes to %s", &got)
			}
		})
	})
}

// curl downloads and uploads size bytes.
func (w *world) curl(t *testing.T, at netip.AddrPort, size int64) {
	url := "http://" + at.String() + "/"
	t.Run("download", func(t *testing.T) {
		d := newDigest()
		curl := w.kernel.Command(w.ctx, "curl", "-sS", "--fail", url)
		curl.Stdout = d
		if err := curl.Run(); err != nil || d.String() != contentHash(size) {
			t.Errorf("curl got %d bytes of %d, %v", d.n, size, err)
		}
	})
	t.Run("upload", func(t *testing.T) {
		curl := w.kernel.Command(w.ctx, "curl", "-sS", "--fail", "-T", "-", url)
		curl.Stdin = content(size)
		if got, err := curl.Output(); err != nil || got != contentHash(size) {
			t.Errorf("the server got what hashes to %s, %v", got, err)
		}
	})
}

// kernelListen listens on the kernel's side.
func (w *world) kernelListen(t *testing.T, at netip.AddrPort) (ln net.Listener) {
	t.Helper()
	var err error
	w.kernel.Do(func() { ln, err = net.Listen("tcp", at.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// serve answers GET with size bytes of content, and PUT with the SHA-256 of what
// came, until the test ends.
func serve(t *testing.T, ln net.Listener, size int64) {
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			rw.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			_, _ = io.Copy(rw, content(size)) // the client says what is missing
			return
		}
		d := newDigest()
		if _, err := io.Copy(d, r.Body); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprint(rw, d)
	})}
	ended := make(chan error)
	go func() { ended <- server.Serve(ln) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}
