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

// Add defines the flags.
func (f *Flags) Add(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.tun, "tun", "", "use a host of berth's own on the TUN interface `NAME`, made for it")
	set.StringArrayVar(&f.addrs, "addr", nil, "an address of that host, `CIDR`, such as 10.77.0.2/24; may be repeated")
	set.StringArrayVar(&f.hostAddr, "host-addr", nil, "an address, `CIDR`, for the kernel's side of the TUN; may be repeated")
	set.StringArrayVar(&f.gateways, "gateway", nil, "the `ADDR` of the default route; may be given for IPv4 and for IPv6")
	set.StringArrayVar(&f.dns, "dns", nil, "ask the name server at `ADDR` over that host's sockets; may be repeated")
	set.IntVar(&f.mtu, "mtu", 0, "the MTU of the TUN in `BYTES`")
	set.StringVar(&f.pcap, "pcap", "", "write what passes the TUN to `FILE`, in pcapng")
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
