package runner

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"

	"example.com/berth/internal/policy"
)

// resolvConf is what the machine's resolv.conf says, as far as it is of use.
type resolvConf struct {
	servers []netip.AddrPort
	search  []string
	options []string // those that are about how names are looked up
}

// readResolvConf reads a file in the form of resolv.conf(5). One that is not there
// says that the machine itself has a name server.
func readResolvConf(path string) (c resolvConf) {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(words[1]); err == nil {
				c.servers = append(c.servers, netip.AddrPortFrom(a, 53))
			}
		case "search", "domain":
			c.search = words[1:]
		case "options":
			for _, o := range words[1:] {
				if strings.HasPrefix(o, "ndots:") {
					c.options = append(c.options, o)
				}
			}
		}
	}
	if len(c.servers) == 0 {
		c.servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53)}
	}
	return c
}

// A serverList is the name servers of a file in the form of resolv.conf(5), as it is at
// any time: a machine that comes to another network has others. It must not be copied.
type serverList struct {
	path string

	mu      sync.Mutex // guards what follows
	stamp   os.FileInfo
	servers []netip.AddrPort
}

// get returns the servers, which nobody may change.
func (l *serverList) get() []netip.AddrPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, err := os.Stat(l.path)
	if l.servers == nil || err == nil && (l.stamp == nil || !sameFile(l.stamp, now)) {
		l.servers, l.stamp = readResolvConf(l.path).servers, now
	}
	return l.servers
}

// readHosts reads the names of a file in the form of hosts(5), but for those of
// loopback, which mean something else to the program.
func readHosts(path string) map[string][]netip.Addr {
	all := make(map[string][]netip.Addr)
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		a, err := netip.ParseAddr(words[0])
		if err != nil || a.IsLoopback() || a.IsMulticast() || a.Zone() != "" {
			continue
		}
		for _, name := range words[1:] {
			all[name] = append(all[name], a)
		}
	}
	return all
}

// ownNetworks are those that the machine is on. The program's own network and the
// aliases are nobody's outside, even if this machine is itself such a program.
func ownNetworks() (all []netip.Prefix) {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		if !ok {
			continue
		}
		ones, _ := n.Mask.Size()
		if p := netip.PrefixFrom(ip.Unmap(), ones); !slices.ContainsFunc(gatewayAddrs, p.Overlaps) {
			all = append(all, p)
		}
	}
	return all
}

// policyConfig is that of the policy of a run.
func (o *Options) policyConfig(rules []*policy.Rule) policy.Config {
	cfg := policy.Config{Rules: rules, Networks: ownNetworks(), Hosts: readHosts("/etc/hosts")}
	if len(o.Loopback) > 0 {
		cfg.Hosts[LoopbackName] = o.Loopback
	}
	return cfg
}
