package runner

import (
	"fmt"
	"os"
	"strings"

	"example.com/berth/internal/box"
)

// resolvConfPath is the file that says which name servers there are, outside and inside.
const resolvConfPath = "/etc/resolv.conf"

// overlays are the files by which the program finds names: berth's resolver, and
// itself. What the machine's hosts file has, the resolver knows.
func (o *Options) overlays() []box.Overlay {
	return []box.Overlay{{Path: resolvConfPath, Text: o.resolvConf()}, {Path: "/etc/hosts", Text: o.hosts()}}
}

func (o *Options) resolvConf() string {
	if o.Net == None {
		return "# no network: berth run --net none\n"
	}
	var b strings.Builder
	b.WriteString("# berth's resolver, for this program only\n")
	for _, a := range gateways() {
		fmt.Fprintf(&b, "nameserver %v\n", a)
	}
	c := readResolvConf(resolvConfPath)
	if len(c.search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(c.search, " "))
	}
	if len(c.options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(c.options, " "))
	}
	return b.String()
}

func (o *Options) hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	if name, err := os.Hostname(); err == nil && name != "localhost" {
		self := "127.0.1.1"
		if o.Net != None {
			self = programAddrs[0].Addr().String()
		}
		fmt.Fprintf(&b, "%s %s\n", self, name)
	}
	for _, a := range o.Loopback {
		fmt.Fprintf(&b, "%v %s\n", a, LoopbackName)
	}
	return b.String()
}
