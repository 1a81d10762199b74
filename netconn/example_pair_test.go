package netconn_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
)

// Two machines joined in memory, a web server on one and a browser on the other.
func Example_pair() {
	a, b := wire.Pair()
	client, server := berth.NewHost(berth.Config{}), berth.NewHost(berth.Config{})
	_, errA := client.Attach(a, "10.0.0.1/24")
	_, errB := server.Attach(b, "10.0.0.2/24")

	l, err := netconn.Listen(server, "tcp", ":80")
	if err = errors.Join(errA, errB, err); err != nil {
		log.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from", r.Host)
	}))

	d := netconn.Dialer{Provider: client}
	browser := http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
	r, err := browser.Get("http://10.0.0.2/")
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, r.Body)
	// Output: hello from 10.0.0.2
}
