package netconn_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"example.com/berth/internal/testnet"
)

// runExample in its environment makes the test binary be the program of
// Example_tun.
const runExample = "BERTH_EXAMPLE_TUN"

func init() {
	if os.Getenv(runExample) != "" {
		Example_tun()
	}
}

// The program of Example_tun, in a network namespace, serves a page to the
// kernel's side.
func TestExampleTUN(t *testing.T) {
	testnet.NeedTUN(t)
	ns := testnet.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), testnet.Patience)
	defer cancel()
	var stderr bytes.Buffer
	program := ns.Command(ctx, os.Args[0])
	program.Env, program.Stderr = append(os.Environ(), runExample+"=1"), &stderr
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	defer func() { cancel(); <-ended }()

	inside := func(ctx context.Context, network, address string) (c net.Conn, err error) {
		ns.Do(func() { c, err = new(net.Dialer).DialContext(ctx, network, address) })
		return c, err
	}
	client := http.Client{Transport: &http.Transport{DialContext: inside, DisableKeepAlives: true}}
	for {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the program ended: %v: %s", err, &stderr)
		case <-time.After(10 * time.Millisecond): // it is being started
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://10.77.0.2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.Do(req)
		if err != nil {
			if ctx.Err() != nil {
				t.Fatal(err)
			}
			continue
		}
		defer r.Body.Close()
		page, err := io.ReadAll(r.Body)
		if err != nil || string(page) != "hello from 10.77.0.2\n" {
			t.Errorf("%q, %v", page, err)
		}
		return
	}
}
