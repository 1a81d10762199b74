package berth

import (
	"reflect"
	"sync/atomic"

	"example.com/berth/internal/tcp"
)

// Counters are what a host has counted since it was made: traffic, and each
// packet that it dropped or refused under the cause for which it did. They are
// live: Load reads one, Each all of them.
type Counters struct {
	IP struct {
		In, Delivered, Forwarded, Out atomic.Uint64

		// Dropped on input.
		BadHeader       atomic.Uint64 // truncated, wrong version or length
		BadChecksum     atomic.Uint64 // of an IPv4 header
		BadOption       atomic.Uint64 // malformed, or source routing
		BadExtension    atomic.Uint64 // malformed or too many extension headers
		BadSource       atomic.Uint64 // multicast, broadcast or loopback source
		NotForUs        atomic.Uint64 // and forwarding is off
		UnknownProtocol atomic.Uint64
		NotIP           atomic.Uint64 // an EtherType that nobody takes

		// Forwarding.
		TTLExceeded, ForwardNoRoute, ForwardTooBig atomic.Uint64

		// Fragments.
		Fragments, Reassembled, ReassemblyFailed, ReassemblyTimeout atomic.Uint64
		FragmentsSent                                               atomic.Uint64

		// Dropped on output.
		NoRoute, DeviceBusy, DeviceError, Unresolved atomic.Uint64
	}
	// Forward is what the Forwarder was asked about.
	Forward struct {
		Flows, Accepted, Declined atomic.Uint64
		Repeated                  atomic.Uint64 // SYNs of flows that waited for an answer
		Expired                   atomic.Uint64 // flows that nobody answered
		Overflow                  atomic.Uint64 // too many flows waited, or memory was short
		BadAddress                atomic.Uint64 // to or from what is no other host's address
	}
	ICMP struct {
		In, Out, Errors           atomic.Uint64
		BadChecksum, Malformed    atomic.Uint64
		RateLimited, NotAllowed   atomic.Uint64 // errors that were not sent
		EchoRequests, EchoReplies atomic.Uint64
		Redirects                 atomic.Uint64 // that were believed
		RedirectsSent             atomic.Uint64
		Ignored                   atomic.Uint64 // types that ask nothing of a host
		BadQuote                  atomic.Uint64 // errors about packets that no socket sent
	}
	Neighbor struct {
		ARPIn, NDIn, Malformed, Duplicates atomic.Uint64
		GatewaysLost                       atomic.Uint64 // gateways that stopped answering
	}
	UDP struct {
		In, Out, NoPort, BadChecksum, Malformed atomic.Uint64
		QueueFull                               atomic.Uint64 // a socket's receive buffer
		NoMemory                                atomic.Uint64 // the host's budget
	}
	TCP struct {
		SegsIn, SegsOut, BadChecksum, Malformed, NoSocket, ResetsSent atomic.Uint64
		BadAddress                                                    atomic.Uint64 // to or from broadcast or multicast
		ListenOverflows                                               atomic.Uint64 // the accept queue was full
		SYNQueueFull                                                  atomic.Uint64 // SYNs not answered for that
		ListenDrops                                                   atomic.Uint64 // SYNs and last ACKs dropped, for whatever reason
		FastOpenOverflows                                             atomic.Uint64 // too many handshakes that brought data
		FastOpenBadCookies                                            atomic.Uint64
		SYNCookiesSent, SYNCookiesReceived, SYNCookiesFailed          atomic.Uint64
		// Machine is what the TCP machine counts.
		Machine tcp.Counters
	}
	Raw struct {
		In, QueueFull, Filtered, BadChecksum atomic.Uint64
	}
}

// Each calls f for every counter, by a name such as "TCP.BadChecksum".
func (c *Counters) Each(f func(name string, value uint64)) {
	each(reflect.ValueOf(c).Elem(), "", f)
}

func each(v reflect.Value, name string, f func(string, uint64)) {
	for i := range v.NumField() {
		full := v.Type().Field(i).Name
		if full == "_" {
			continue
		}
		if name != "" {
			full = name + "." + full
		}
		field := v.Field(i)
		if n, ok := field.Addr().Interface().(*atomic.Uint64); ok {
			f(full, n.Load())
		} else {
			each(field, full, f)
		}
	}
}
