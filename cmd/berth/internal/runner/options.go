package runner

import (
	"io"
	"net/netip"
	"time"

	"example.com/berth/cmd/berth/internal/labhost"
	"example.com/berth/internal/policy"
	"example.com/berth/link/impair"
)

// Net is how far the program's network reaches.
type Net uint8

// The networks.
const (
	Full     Net = iota // the world, as the rules allow
	HostOnly            // this machine's loopback by its alias, and published ports
	None                // the program's own loopback
)

// Options say what to run, and on what network.
type Options struct {
	Args []string // the program and its arguments

	Net Net
	// Ask, if not 0, has the person asked about flows that no rule decides, at the
	// terminal, and is how long an answer may take.
	Ask   time.Duration
	Rules []*policy.Rule // asked before those of the file
	// Policy is a file of rules, "" for none, which is read again when it changes.
	Policy  string
	Publish []Port
	// Loopback are the addresses by which the program reaches the loopback of this
	// machine; none if it does not.
	Loopback []netip.Addr
	// DNS are the name servers that are asked for the program, those of this
	// machine if there are none.
	DNS []netip.AddrPort
	MTU int // 0 for what box.Start takes

	Down, Up impair.Config // what befalls packets to the program, and from it
	// Lines are those that lead to some destinations, asked before those of the file.
	Lines []*policy.Line
	Seed  uint64 // of what chance does to packets
	Pcap  string // the file of a capture; "" for none

	Root    bool
	Events  string // the file to which each decision is appended, "" for none
	Learn   string // the file for the policy that allows what was seen, "" for none
	Quiet   bool   // say nothing of what was denied
	Verbose bool   // say how the network is made, and each flow

	// Lab is the network that the program is a host of, with others; without a Lab in
	// it the program has a network of its own.
	Lab labhost.Options

	Err io.Writer // what berth itself has to say
}

// A Port is one of the program's that the outside may reach.
type Port struct {
	Network string // "tcp" or "udp"
	Outside string // an address to listen on, "127.0.0.1:8080"
	Inside  uint16
}
