package examples

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"example.com/berth/lab"
)

// Requests of HTTP/1.1, each with a connection of its own as they come at once,
// over a link that loses packets.
func TestHTTP1(t *testing.T) { lab.Test(t, http1) }

func http1(t *testing.T, n *lab.Network) {
	web, client := lossy(n)
	ln, err := web.Listen("tcp", ":80")
	check(t, err)
	go http.Serve(ln, http.HandlerFunc(echo))
	requests(t, client.HTTPClient(), "http://web/", "HTTP/1.1")
}

// The same with HTTP/2 over TLS: all of them share one connection.
func TestHTTP2(t *testing.T) { lab.Test(t, http2) }

func http2(t *testing.T, n *lab.Network) {
	web, client := lossy(n)
	serverTLS, clientTLS := certificates(t, n, "web")
	ln, err := web.Listen("tcp", ":443")
	check(t, err)
	server := http.Server{Handler: http.HandlerFunc(echo), TLSConfig: serverTLS}
	go server.ServeTLS(ln, "", "")
	t.Cleanup(func() { server.Close() })
	transport := client.Transport()
	transport.TLSClientConfig = clientTLS
	requests(t, &http.Client{Transport: transport}, "https://web/", "HTTP/2.0")
}

// A client that waits for a partition to end, for an hour.
func TestHTTPThroughPartition(t *testing.T) { lab.Test(t, httpThroughPartition) }

func httpThroughPartition(t *testing.T, n *lab.Network) {
	web, client := lossy(n)
	ln, err := web.Listen("tcp", ":80")
	check(t, err)
	go http.Serve(ln, http.HandlerFunc(echo))
	c := client.HTTPClient()
	check(t, post(c, "http://web/", "HTTP/1.1", []byte("before")))
	heal := n.Partition(web)
	c.Timeout = 30 * time.Second
	tries := 0
	start := time.Now()
	time.AfterFunc(time.Hour, heal)
	for post(c, "http://web/", "HTTP/1.1", []byte("after")) != nil {
		if tries++; tries > 1000 {
			t.Fatal("it never came through")
		}
		time.Sleep(30 * time.Second)
	}
	if took := time.Since(start); took < time.Hour || took > time.Hour+3*time.Minute {
		t.Errorf("it came through after %v", took)
	}
}

// requests makes twenty at once.
func requests(t *testing.T, c *http.Client, url, proto string) {
	t.Helper()
	check(t, post(c, url, proto, []byte("so that there is a connection")))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := post(c, url, proto, bytes.Repeat([]byte{byte(i)}, 50_000)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// post sends a body and wants it back.
func post(c *http.Client, url, proto string, body []byte) error {
	resp, err := c.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.Proto != proto:
		return fmt.Errorf("it was %s, want %s", resp.Proto, proto)
	case !bytes.Equal(got, body):
		return fmt.Errorf("%d bytes came back of %d, or others", len(got), len(body))
	}
	return nil
}

// echo answers with what it is sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Write(body)
}
