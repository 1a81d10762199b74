package netconn_test

import (
	"fmt"
	"io"
	"net/http"

	"example.com/berth/kernel"
	"example.com/berth/netconn"
)

// Any provider will do: here an HTTP server and its client over the sockets of
// the operating system.
func Example_kernel() {
	host := kernel.Sockets()
	l, err := netconn.Listen(host, "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "hello")
	}))
	defer l.Close()

	d := netconn.Dialer{Provider: host}
	client := http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
	r, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	fmt.Println(string(body))
	// Output: hello
}
