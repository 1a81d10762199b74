package lab_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"example.com/berth/lab"
)

// fetch gets all of a page, and gives up after a while.
func fetch(c *http.Client, url string, patience time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func TestHTTPDeadline(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		web, client := n.Host("web"), n.Host("client")
		n.Link(web, client, lab.Delay(50*time.Millisecond), lab.Loss(0.05), lab.Rate(1e6))

		page := bytes.Repeat([]byte("all work and no play "), 25_000) // 525 kB: 4 s at the least
		served := make(chan error, 2)
		go http.Serve(must(web.Listen("tcp", ":80")), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := w.Write(page)
			served <- err
		}))

		start := time.Now()
		if _, err := fetch(client.HTTPClient(), "http://web/", 2*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of our patience", err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("the client gave up after %v, want 2s", took)
		}
		if err := <-served; err == nil {
			t.Error("the server does not know that the client has gone")
		}

		got, err := fetch(client.HTTPClient(), "http://web/", 10*time.Minute)
		if err != nil || !bytes.Equal(got, page) {
			t.Errorf("got %d bytes of %d: %v", len(got), len(page), err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
