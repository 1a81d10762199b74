package main

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"example.com/berth/cmd/berth/internal/runner"
	"example.com/berth/cmd/berth/internal/usage"
)

// parsePublish reads [BIND:]OUT:IN[/udp]. Without BIND only this machine reaches
// it.
func parsePublish(text string) (p runner.Port, err error) {
	rest, proto, has := strings.Cut(text, "/")
	p.Network = "tcp"
	if has {
		p.Network = proto
	}
	if p.Network != "tcp" && p.Network != "udp" {
		return p, badPublish(text, "a port is of tcp or udp")
	}
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		return p, badPublish(text, "there is no port inside")
	}
	inside, err := strconv.ParseUint(rest[i+1:], 10, 16)
	if err != nil || inside == 0 {
		return p, badPublish(text, "the port inside is a number from 1 to 65535")
	}
	p.Inside = uint16(inside)
	bind, out := "127.0.0.1", rest[:i]
	if i := strings.LastIndexByte(out, ':'); i >= 0 {
		bind, out = strings.Trim(out[:i], "[]"), out[i+1:]
		if _, err := netip.ParseAddr(bind); err != nil {
			return p, badPublish(text, usage.Quote(bind)+" is no address to listen on")
		}
	}
	if n, err := strconv.ParseUint(out, 10, 16); err != nil || n > 65535 {
		return p, badPublish(text, "the port outside is a number from 0, for any, to 65535")
	}
	p.Outside = net.JoinHostPort(bind, out)
	return p, nil
}

func badPublish(text, why string) error {
	return &usage.Error{
		Arg: text, Problem: "invalid -p/--publish " + usage.Quote(text) + ": " + why,
		Hint: "8080:80, 0.0.0.0:8080:80, [::]:5353:53/udp: the port outside, on this machine only unless an address stands before it, and the program's",
	}
}
