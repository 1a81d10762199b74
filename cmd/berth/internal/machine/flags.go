package machine

import (
	"fmt"
	"net/netip"
	"strings"

	"example.com/berth/cmd/berth/internal/usage"
	"github.com/spf13/pflag"
)

// Flags are what a person says about the host to use.
type Flags struct {
	tun      string
	addrs    []string
	hostAddr []string
	gateways []string
	dns      []string
	mtu      int
	pcap     string

	set *pflag.FlagSet
}

// annotation marks the flags that Add defines.
const annotation = "machine"

// IsFlag tells whether Add defined a flag.
func IsFlag(f *pflag.Flag) bool { return f.Annotations[annotation] != nil }

// Add defines the flags.
func (f *Flags) Add(to *pflag.FlagSet) {
	var set pflag.FlagSet
	set.SortFlags = false
	set.StringVar(&f.tun, "tun", "", "use a host of berth's own on the TUN interface `NAME`, which is made for it")
	set.StringArrayVar(&f.addrs, "addr", nil, "give that host the address `CIDR`, such as 10.77.0.2/24; may be repeated")
	set.StringArrayVar(&f.hostAddr, "host-addr", nil, "give the kernel's side of the TUN the address `CIDR`; may be repeated")
	set.StringArrayVar(&f.gateways, "gateway", nil, "send what is not on the link to `ADDR`; one for IPv4, one for IPv6")
	set.StringArrayVar(&f.dns, "dns", nil, "ask the name server `ADDR` over that host's sockets; may be repeated")
	set.IntVar(&f.mtu, "mtu", 0, "set the TUN's MTU to `BYTES`")
	set.StringVar(&f.pcap, "pcap", "", "write what passes the TUN to `FILE`, in pcapng")
	set.VisitAll(func(flag *pflag.Flag) { flag.Annotations = map[string][]string{annotation: {}} })
	to.AddFlagSet(&set)
	f.set = to
}

// plan is what the flags mean.
type plan struct {
	addrs    []netip.Prefix
	gateways []netip.Addr
	dns      []netip.AddrPort
}

// check reads the flags. The error is a *usage.Error.
func (f *Flags) check() (p plan, err error) {
	if f.tun == "" {
		for _, name := range []string{"addr", "host-addr", "gateway", "dns", "mtu", "pcap"} {
			if f.set.Changed(name) {
				return p, &usage.Error{
					Arg: "--" + name, Problem: "--" + name + " needs --tun",
					Hint: "--tun NAME makes a host of berth's own; without it the kernel's sockets are used",
				}
			}
		}
		return p, nil
	}
	if len(f.addrs) == 0 {
		return p, &usage.Error{
			Arg: f.tun, Problem: "a host on a TUN needs an address",
			Hint: "--addr 10.77.0.2/24 gives it one, and --host-addr 10.77.0.1/24 the kernel's side",
		}
	}
	if f.mtu != 0 && (f.mtu < 68 || f.mtu > 65535) {
		return p, &usage.Error{Arg: fmt.Sprint(f.mtu), Problem: "the MTU is out of range", Hint: "an MTU is from 68 to 65535 bytes"}
	}
	for _, s := range f.addrs {
		prefix, err := parsePrefix("--addr", s)
		if err != nil {
			return p, err
		}
		p.addrs = append(p.addrs, prefix)
	}
	for _, s := range f.hostAddr {
		if _, err := parsePrefix("--host-addr", s); err != nil {
			return p, err
		}
	}
	return p, f.checkServers(&p)
}

// checkServers reads the flags that name other hosts.
func (f *Flags) checkServers(p *plan) error {
	for _, s := range f.gateways {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return &usage.Error{Arg: s, Problem: "invalid --gateway " + usage.Quote(s) + ": it is not an IP address"}
		}
		p.gateways = append(p.gateways, a)
	}
	for _, s := range f.dns {
		if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
			p.dns = append(p.dns, netip.AddrPortFrom(a, 53))
			continue
		}
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return &usage.Error{Arg: s, Problem: "invalid --dns " + usage.Quote(s) + ": it is not an IP address", Hint: "--dns takes 10.0.0.1, 10.0.0.1:53 or [fd00::1]:53"}
		}
		p.dns = append(p.dns, a)
	}
	return nil
}

func parsePrefix(flag, s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		hint := flag + " takes an address with the length of its network's prefix, such as 10.77.0.2/24"
		return p, &usage.Error{Arg: s, Problem: "invalid " + flag + " " + usage.Quote(s), Hint: hint}
	case p.Addr().IsUnspecified() || p.Addr().IsMulticast() || p.Addr().Is4In6():
		return p, &usage.Error{Arg: s, Problem: usage.Quote(s) + " cannot be the address of an interface"}
	}
	return p, nil
}
