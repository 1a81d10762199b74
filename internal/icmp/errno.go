package icmp

import (
	"syscall"

	"example.com/berth/internal/header"
)

// A Verdict is what an error message means for a socket.
type Verdict struct {
	// Errno is 0 if the message is none of a socket's business.
	Errno syscall.Errno
	// Hard: the error is there to stay. A datagram socket reports it, and a
	// connection that is not established yet fails of it; an established one
	// survives all (RFC 5461, RFC 5927 5). A soft error is only remembered.
	Hard bool
}

// unreachable4 is Linux's table, by code. Net, host and source route failures
// must be taken for transient (RFC 1122 3.2.2.1).
var unreachable4 = [...]Verdict{
	header.ICMPv4NetUnreachable:      {syscall.ENETUNREACH, false},
	header.ICMPv4HostUnreachable:     {syscall.EHOSTUNREACH, false},
	header.ICMPv4ProtocolUnreachable: {syscall.ENOPROTOOPT, true},
	header.ICMPv4PortUnreachable:     {syscall.ECONNREFUSED, true},
	header.ICMPv4FragmentationNeeded: {syscall.EMSGSIZE, false},
	header.ICMPv4SourceRouteFailed:   {syscall.EOPNOTSUPP, false},
	header.ICMPv4NetUnknown:          {syscall.ENETUNREACH, true},
	header.ICMPv4HostUnknown:         {syscall.EHOSTDOWN, true},
	header.ICMPv4SourceIsolated:      {errNoNet, true},
	header.ICMPv4NetProhibited:       {syscall.ENETUNREACH, true},
	header.ICMPv4HostProhibited:      {syscall.EHOSTUNREACH, true},
	header.ICMPv4NetTOS:              {syscall.ENETUNREACH, false},
	header.ICMPv4HostTOS:             {syscall.EHOSTUNREACH, false},
	header.ICMPv4Filtered:            {syscall.EHOSTUNREACH, true},
	header.ICMPv4PrecedenceViolation: {syscall.EHOSTUNREACH, true},
	header.ICMPv4PrecedenceCutoff:    {syscall.EHOSTUNREACH, true},
}

// Errno4 says what an ICMPv4 error means, as Linux does. Types and codes that
// mean nothing to a host, source quench among them (RFC 6633 3), are not ok.
func Errno4(typ, code uint8) (v Verdict, ok bool) {
	switch typ {
	case header.ICMPv4Unreachable:
		if int(code) >= len(unreachable4) {
			return Verdict{}, false
		}
		return unreachable4[code], true
	case header.ICMPv4TimeExceeded:
		return Verdict{Errno: syscall.EHOSTUNREACH}, true
	case header.ICMPv4ParameterProblem:
		return Verdict{Errno: syscall.EPROTO, Hard: true}, true
	case header.ICMPv4Redirect:
		return Verdict{}, true
	}
	return Verdict{}, false
}

// unreachable6 is Linux's table, by code.
var unreachable6 = [...]Verdict{
	header.ICMPv6NoRoute:            {syscall.ENETUNREACH, false},
	header.ICMPv6Prohibited:         {syscall.EACCES, true},
	header.ICMPv6BeyondScope:        {syscall.EHOSTUNREACH, false},
	header.ICMPv6AddressUnreachable: {syscall.EHOSTUNREACH, false},
	header.ICMPv6PortUnreachable:    {syscall.ECONNREFUSED, true},
	header.ICMPv6PolicyFail:         {syscall.EACCES, true},
	header.ICMPv6RejectRoute:        {syscall.EACCES, true},
}

// Errno6 says what an ICMPv6 error means, as Linux does. Errors of unknown type
// are passed on too (RFC 4443 2.4 a); what is not an error is not ok.
func Errno6(typ, code uint8) (v Verdict, ok bool) {
	switch typ {
	case header.ICMPv6Unreachable:
		if int(code) < len(unreachable6) {
			return unreachable6[code], true
		}
		return Verdict{Errno: syscall.EPROTO, Hard: true}, true
	case header.ICMPv6PacketTooBig:
		return Verdict{Errno: syscall.EMSGSIZE}, true
	case header.ICMPv6TimeExceeded:
		return Verdict{Errno: syscall.EHOSTUNREACH}, true
	case header.ICMPv6ParameterProblem:
		return Verdict{Errno: syscall.EPROTO, Hard: true}, true
	}
	return Verdict{Errno: syscall.EPROTO}, header.ICMPv6IsError(typ)
}
