// Package endpoint reads the addresses that a person writes on a command line:
//
//	:50007              any address of this host, or this host itself
//	10.0.0.2:50007      an address
//	example.org:http    names
//	[fe80::1%eth0]:22   IPv6, with its zone
//	10.0.0.2 50007      two words, as nc takes them
//	50007               a port alone, to listen on
package endpoint

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"example.com/berth/cmd/berth/internal/usage"
)

// Endpoint is a host and a port.
type Endpoint struct {
	// Host is a name, an address, or empty.
	Host string
	Port uint16
}

// String puts the two together as net.Dial takes them.
func (e Endpoint) String() string { return net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port))) }

// Forms is the hint after a mistake.
const Forms = "an address is :port, host:port, [v6]:port, or host and port as two words"

// Remote reads the address of a peer from the arguments of a command. The
// error is a *usage.Error.
func Remote(args []string) (Endpoint, error) { return parse(args, false) }

// Local reads an address to listen on, which may be a port alone.
func Local(args []string) (Endpoint, error) { return parse(args, true) }

func parse(args []string, local bool) (Endpoint, error) {
	switch len(args) {
	case 0:
		return Endpoint{}, &usage.Error{Problem: "no address is given", Hint: Forms}
	case 1:
		host, port, err := split(args[0], local)
		if err != nil {
			return Endpoint{}, err
		}
		return together(host, port, args[0])
	case 2:
		host := strings.TrimSuffix(strings.TrimPrefix(args[0], "["), "]")
		if local && host == "*" {
			host = ""
		}
		return together(host, args[1], args[0])
	}
	return Endpoint{}, &usage.Error{
		Arg:     args[2],
		Problem: "one argument too many: " + usage.Quote(args[2]),
		Hint:    Forms,
	}
}

// split takes host and port apart.
func split(s string, local bool) (host, port string, err error) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, after, closed := strings.Cut(rest, "]")
		port, colon := strings.CutPrefix(after, ":")
		if !closed || !colon || port == "" {
			return "", "", &usage.Error{Arg: s, Problem: "bad address " + usage.Quote(s), Hint: "after the brackets come a colon and a port: [::1]:50007"}
		}
		return host, port, nil
	}
	switch strings.Count(s, ":") {
	case 0:
		if _, err := strconv.Atoi(s); err == nil && local {
			return "", s, nil
		}
		return "", "", &usage.Error{Arg: s, Problem: "the port is missing after " + usage.Quote(s), Hint: Forms}
	case 1:
		host, port, _ = strings.Cut(s, ":")
		if port == "" {
			return "", "", &usage.Error{Arg: s, Problem: "the port is missing after " + usage.Quote(s), Hint: Forms}
		}
		if local && host == "*" {
			host = ""
		}
		return host, port, nil
	}
	hint := Forms
	if i := strings.LastIndex(s, ":"); i > 0 {
		hint = "IPv6 addresses stand in brackets: [" + s[:i] + "]:" + s[i+1:]
	}
	return "", "", &usage.Error{Arg: s, Problem: "too many colons in " + usage.Quote(s), Hint: hint}
}

// together checks both parts. Arg is the argument that has the host.
func together(host, port, arg string) (Endpoint, error) {
	if strings.ContainsAny(host, " []/") {
		return Endpoint{}, &usage.Error{Arg: arg, Problem: "bad host " + usage.Quote(host), Hint: Forms}
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return Endpoint{}, &usage.Error{Arg: host, Problem: "bad IPv6 address " + usage.Quote(host), Hint: Forms}
		}
	}
	n, err := parsePort(port)
	return Endpoint{Host: host, Port: n}, err
}

// parsePort reads a number or the name of a service.
func parsePort(s string) (uint16, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		// The names of TCP and UDP services are the same ones.
		n, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", s)
		if err != nil {
			return 0, &usage.Error{Arg: s, Problem: "unknown service " + usage.Quote(s), Hint: "a port is a number from 0 to 65535, or a name such as http"}
		}
	}
	if n < 0 || n > 65535 {
		return 0, &usage.Error{Arg: s, Problem: "invalid port " + usage.Quote(s), Hint: "a port is a number from 0 to 65535"}
	}
	return uint16(n), nil
}
