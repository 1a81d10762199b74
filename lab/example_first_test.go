package lab_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"example.com/berth/lab"
)

// must is for what cannot fail in a test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestFirst(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		web, client := n.Host("web"), n.Host("client")
		n.Link(web, client, lab.Delay(20*time.Millisecond))

		go http.Serve(must(web.Listen("tcp", ":80")), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Hour) // it thinks
			io.WriteString(w, "forty-two")
		}))

		start := time.Now()
		resp, err := client.HTTPClient().Get("http://web/answer")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := string(must(io.ReadAll(resp.Body))); got != "forty-two" {
			t.Errorf("got %q", got)
		}
		// One round trip for the handshake, one for the request.
		if took := time.Since(start); took != time.Hour+80*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}
