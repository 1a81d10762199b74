package heavy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// A hundred requests at once share one connection of HTTP/2 over TLS.
func TestHTTP2(t *testing.T) {
	everywhere(t, func(t *testing.T, n *network) {
		const requests = 100
		l := n.listen(t)
		serverTLS, clientTLS := n.certificates(t)
		var connections atomic.Int32
		server := http.Server{
			TLSConfig: serverTLS,
			ConnState: func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					connections.Add(1)
				}
			},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(w, r.Body)
			}),
		}
		served := make(chan error, 1)
		go func() { served <- server.ServeTLS(l, "", "") }()
		transport := &http.Transport{DialContext: n.dial, TLSClientConfig: clientTLS, ForceAttemptHTTP2: true}
		client := http.Client{Transport: transport}
		url := "https://" + l.Addr().String()

		check(t, post(&client, url, 1)) // so that there is the one connection
		var all sync.WaitGroup
		for range requests {
			all.Go(func() {
				if err := post(&client, url, n.bulk/requests); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := connections.Load(); got != 1 {
			t.Errorf("%d connections, want 1", got)
		}
		transport.CloseIdleConnections()
		check(t, server.Shutdown(t.Context()))
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}

// post sends size bytes and wants them back.
func post(client *http.Client, url string, size int) error {
	r, err := client.Post(url, "application/octet-stream", content(size))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.ProtoMajor != 2 || r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s over %s", r.Status, r.Proto)
	}
	return expect(r.Body, size)
}
