package script

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/berth"
	"example.com/berth/socket"
)

// A Variant is the kind of addresses that a script is run with.
type Variant uint8

const (
	// IPv4 is IPv4 addresses and sockets.
	IPv4 Variant = iota
	// IPv6 is IPv6 addresses and sockets.
	IPv6
	// Mapped is IPv6 sockets with IPv4 addresses in their IPv6 form.
	Mapped
)

// Variants are all variants.
var Variants = []Variant{IPv4, IPv6, Mapped}

// String gives the name that --ip_version has for the variant.
func (v Variant) String() string {
	switch v {
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	case Mapped:
		return "ipv4-mapped-ipv6"
	}
	return "variant " + strconv.Itoa(int(v))
}

// setup is what the options of a script say, and its commands before the host is
// made.
type setup struct {
	variant        Variant
	tolerance      time.Duration
	tsTick         time.Duration // of the host's timestamps; 0: not checked
	strictSegments bool
	anyOrder       bool // of TCP options
	mtu            int
	local, remote  netip.Addr
	domain         socket.Domain
	prefix, route  netip.Prefix
	host           berth.Config
	sockets        []preset
}

// defaults are packetdrill's: 4 ms of tolerance, and an MTU with which the MSS
// is 1460 with both versions of IP.
func defaults(v Variant) setup {
	s := setup{
		variant: v, tolerance: 4 * time.Millisecond, mtu: 1500, domain: socket.INET,
		local: netip.MustParseAddr("192.168.0.1"), remote: netip.MustParseAddr("192.0.2.1"),
	}
	switch v {
	case IPv6:
		s.domain, s.mtu = socket.INET6, 1520
		s.local, s.remote = netip.MustParseAddr("fd3d:0a0b:17d6::1"), netip.MustParseAddr("2001:db8::1")
	case Mapped:
		s.domain = socket.INET6
	}
	return s
}

// configure reads the options.
func (r *run) configure() error {
	r.setup = defaults(r.cfg.Variant)
	r.cfg.Profile.apply(&r.setup)
	list := r.script.options
	for _, o := range r.cfg.Options {
		name, value, _ := strings.Cut(o, "=")
		list = append(list[:len(list):len(list)], option{Pos{"command line", 1, 1}, name, value})
	}
	for _, o := range list {
		if err := r.setup.option(o); err != nil {
			return err
		}
		if slices.Contains(aboutPacketdrill, o.name) {
			r.remark("%v: the option --%s has no effect here", o.pos, o.name)
		}
	}
	s := &r.setup
	if !s.local.IsValid() || s.local.Is4() != s.remote.Is4() || s.local.Is4() != (s.variant != IPv6) {
		return errorf(Pos{r.script.Name, 1, 1}, "the addresses %v and %v do not go with %v", s.local, s.remote, s.variant)
	}
	bits := 16
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if s.local.Is6() {
		bits, all = 64, netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	s.prefix, s.route = netip.PrefixFrom(s.local, bits), all
	return nil
}

// option takes one option.
func (s *setup) option(o option) error {
	number := func(least, most int) (int, error) {
		n, err := strconv.Atoi(o.value)
		if err != nil || n < least || n > most {
			return 0, errorf(o.pos, "--%s is a number from %d to %d, not %q", o.name, least, most, o.value)
		}
		return n, nil
	}
	var n int
	var err error
	switch o.name {
	case "ip_version":
		// The variant that is run is chosen by whoever runs the script, among
		// those that fit: see [Script.Variants].
	case "define":
	case "tolerance_usecs":
		n, err = number(0, 2000e6)
		s.tolerance = time.Duration(n) * time.Microsecond
	case "tcp_ts_tick_usecs":
		n, err = number(0, 1e6)
		s.tsTick = time.Duration(n) * time.Microsecond
	case "mtu":
		n, err = number(68, 65535)
		if s.mtu = n; s.variant == IPv6 && !s.anyOrder {
			s.mtu = min(s.mtu+20, 65535)
		}
	case "local_ip", "remote_ip", "connect_ip":
		err = s.address(o)
	case "strict_segments":
		s.strictSegments = o.value != "0" && o.value != "false"
	default:
		if !slices.Contains(aboutPacketdrill, o.name) {
			return unsupported(o.pos, "the option --%s", o.name)
		}
	}
	return err
}

// aboutPacketdrill are options about the interface that packetdrill makes, and about
// itself.
var aboutPacketdrill = []string{
	"gateway_ip", "netmask_ip", "bind_ip", "speed", "non_fatal", "verbose", "dry_run", "mss", "debug", "no_cleanup", "send_omit_free", "strict",
}

// address takes an address that fits the variant; others are for other variants.
func (s *setup) address(o option) error {
	text, _, _ := strings.Cut(o.value, "/")
	a, err := netip.ParseAddr(text)
	if err != nil {
		return errorf(o.pos, "--%s: %v", o.name, err)
	}
	if a.Is6() != s.local.Is6() {
		return nil
	}
	if o.name == "local_ip" {
		s.local = a
	} else {
		s.remote = a
	}
	return nil
}

// Variants are those that the script says it is for with --ip_version; all of
// them if it does not.
func (s *Script) Variants() []Variant {
	for _, o := range s.options {
		if o.name != "ip_version" {
			continue
		}
		for _, v := range Variants {
			if o.value == v.String() {
				return []Variant{v}
			}
		}
	}
	return Variants
}

// ParseVariant is the variant of a name.
func ParseVariant(name string) (Variant, error) {
	for _, v := range Variants {
		if v.String() == name {
			return v, nil
		}
	}
	return 0, fmt.Errorf("no variant %q: there are ipv4, ipv6 and ipv4-mapped-ipv6", name)
}
