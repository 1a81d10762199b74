package script

import (
	"time"

	"example.com/berth/internal/header"
)

// A Script is a test that was read.
type Script struct {
	Name    string
	options []option
	events  []event
	// Skipped are the places of #ifdef blocks that were left out.
	Skipped []Pos
}

// An option is a line such as --tolerance_usecs=10000.
type option struct {
	pos         Pos
	name, value string
}

// An event is a line of the script: when, and what.
type event struct {
	pos    Pos
	text   string // as it stands in the script
	at     moment
	action action
	// untimed: a command that stands before all events, or behind them, where it
	// undoes what others did to the system.
	untimed bool
}

// A moment says when an event is to happen.
type moment struct {
	any      bool // *
	relative bool // to the event before
	// isRange: at any time from at to end.
	isRange bool
	at, end time.Duration
}

// An action is a *packet, *call, *command or *snippet.
type action interface{}

// A command is a line for the shell.
type command struct {
	pos  Pos
	text string
}

// A snippet is code: assertions on the state of the connection.
type snippet struct {
	pos        Pos
	statements []statement
}

// A call is one of a function of the socket interface.
type call struct {
	pos  Pos
	name string
	args []expr
	// blocks: it ends at another time than it begins.
	blocks bool
	end    time.Duration
	result expr
	errno  string // empty: none
}

// A packet is one that comes in, or is to go out.
type packet struct {
	pos Pos
	out bool
	ip  ipInfo
	// protocol is header.ProtocolTCP, ProtocolUDP or ProtocolICMP (of either
	// version).
	protocol   uint8
	srcPort    uint16 // 0: not said
	dstPort    uint16
	payload    int // of TCP and UDP
	tcp        segment
	icmp       message
	text       string
	echoed     quoted
	hasEchoed  bool
	anyOptions bool // <...>
}

// ipInfo is what stands in brackets before a packet.
type ipInfo struct {
	check tosCheck
	tos   uint8
	label uint32 // 0: not said
	ttl   uint8  // 0: not said
}

// tosCheck says which of the bits of the traffic class are looked at.
type tosCheck uint8

const (
	tosAny   tosCheck = iota
	tosECN            // the two of ECN
	tosECT01          // ECT(0) or ECT(1)
	tosWhole
)

// A segment is a TCP header with the numbers of the script.
type segment struct {
	flags header.TCPFlags
	// ace: the three flags of AccECN are a number (RFC 9768).
	ace     bool
	seq     uint32
	ack     uint32
	win     uint16
	hasWin  bool
	urg     uint16
	options []tcpOption
}

// A tcpOption is one option; data has the numbers of the script.
type tcpOption struct {
	kind     uint8
	data     []byte
	val, ecr uint32 // of timestamps
	anyVal   bool   // TS val ...
	anyEcr   bool   // ecr ...
	blocks   [][2]uint32
	// word stands for the cookie that data ends with, which depends on who speaks.
	word string
	// sign: the code of md5 and ao is the right one.
	sign bool
}

// A message is one of ICMP, in the words of the script.
type message struct {
	kind, code string
	mtu        int // -1: not said
	id         int
}

// quoted is the packet that an ICMP error is about.
type quoted struct {
	protocol uint8 // header.ProtocolTCP, ProtocolUDP, or 0: raw
	seq      uint32
	payload  int
}
