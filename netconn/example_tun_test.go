package netconn_test

import (
	"fmt"
	"log"
	"net/http"

	"example.com/berth"
	"example.com/berth/link/tuntap"
	"example.com/berth/netconn"
)

// A machine of its own on the network, with a web server: as root, and then
// curl http://10.77.0.2/ in another terminal.
func Example_tun() {
	dev, err := tuntap.Open("bt0", tuntap.HostAddr("10.77.0.1/24"))
	if err != nil {
		log.Fatal(err)
	}
	host := berth.NewHost(berth.Config{})
	if _, err := host.Attach(dev, "10.77.0.2/24"); err != nil {
		log.Fatal(err)
	}
	l, err := netconn.Listen(host, "tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from", r.Host)
	})))
}
