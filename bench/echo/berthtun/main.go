// Command berthtun is an echo over TCP on package netconn and berth, which makes
// its TUN itself, to see how large that is.
package main

import (
	"io"
	"os"

	"example.com/berth"
	"example.com/berth/link/tuntap"
	"example.com/berth/netconn"
)

func main() {
	dev, err := tuntap.Open("echo0", tuntap.HostAddr("10.11.0.1/24"))
	if err != nil {
		panic(err)
	}
	host := berth.NewHost(berth.Config{})
	if _, err := host.Attach(dev, "10.11.0.2/24"); err != nil {
		panic(err)
	}
	l, err := netconn.Listen(host, "tcp", ":7")
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString("ready\n")
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}
