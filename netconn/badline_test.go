package netconn_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
	"example.com/berth/netconn/netconntest"
)

// What package net promises of streams holds on a line that loses segments in
// both directions, too. Datagrams it does not lose: nobody would send them again.
func TestBerthOverABadLine(t *testing.T) {
	lossy := func(seed uint64) impair.Config {
		return impair.Config{Rule: losesTCP(0.005, seed)}
	}
	var line *impair.Device
	n := hosts(t, func(d link.Device) link.Device {
		line = impair.New(d, lossy(1))
		return line
	}, wire.Offload(0))
	if err := line.SetInput(lossy(2)); err != nil {
		t.Fatal(err)
	}
	netconntest.Run(t, n)
	for _, s := range []impair.Stats{line.OutputStats(), line.InputStats()} {
		if s.ByRule == 0 && s.Packets > 10_000 { // fewer, if only some tests run
			t.Errorf("nothing was lost: %+v", s)
		}
	}
}

// losesTCP drops a share of the TCP segments on a link of IP packets.
func losesTCP(share float64, seed uint64) impair.Rule {
	random := rand.New(rand.NewPCG(seed, seed))
	return func(_ time.Duration, f *link.Frame) impair.Verdict {
		b := f.AppendTo(nil)
		protocol := b[9]
		if b[0]>>4 == 6 {
			protocol = b[6]
		}
		return impair.Verdict{Drop: protocol == 6 && random.Float64() < share}
	}
}

// An answer that takes an hour, on a line that loses every tenth packet, takes
// no time under testing/synctest.
func TestHTTPOnFakeTime(t *testing.T) {
	page := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{'p', 'a', 'g', 'e'}).Read(page)
	synctest.Test(t, func(t *testing.T) {
		bad := impair.Config{Loss: 0.1, Delay: 50 * time.Millisecond, Seed: 1}
		n := hosts(t, func(d link.Device) link.Device {
			line := impair.New(d, bad)
			bad.Seed = 2
			if err := line.SetInput(bad); err != nil {
				t.Fatal(err)
			}
			return line
		}, wire.Offload(0))
		l, err := netconn.Listen(n.Server, "tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			_, _ = w.Write(page)
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()

		d := netconn.Dialer{Provider: n.Client}
		transport := &http.Transport{DialContext: d.DialContext}
		client := http.Client{Transport: transport}
		start := time.Now()
		r, err := client.Get("http://10.0.0.2/")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(got, page) {
			t.Errorf("%d of %d bytes, or others: %v", len(got), len(page), err)
		}
		r.Body.Close()
		if took := time.Since(start); took < time.Hour {
			t.Errorf("an answer that takes an hour came after %v", took)
		} else {
			t.Logf("%v on the clock of the bubble", took)
		}
		transport.CloseIdleConnections()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}
