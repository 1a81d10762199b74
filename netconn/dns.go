package netconn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"example.com/berth/socket"
	"golang.org/x/net/dns/dnsmessage"
)

// DNS is a stub resolver (RFC 1034 section 5.3.1): it asks recursive servers
// over the Provider's own UDP sockets, and over TCP when an answer does not fit.
// It keeps nothing in mind between look-ups. Its methods may be called from
// several goroutines at once; the fields must not change meanwhile.
type DNS struct {
	// Provider makes the sockets.
	Provider socket.Provider
	// Servers are asked in turn until one gives an answer. Port 0 is 53.
	Servers []netip.AddrPort
	// Search are domains to append to names that have fewer dots than NDots,
	// and to others that do not exist as they are.
	Search []string
	// NDots is how many dots make a name be tried as it is first; 0 is 1.
	NDots int
	// Hosts are addresses of names that are never asked for, in lower case and
	// without a final dot.
	Hosts map[string][]netip.Addr
	// Timeout is how long to wait for each answer; 0 is 5 seconds.
	Timeout time.Duration
	// Attempts is how often all servers are asked in vain; 0 is 2.
	Attempts int
}

var _ Resolver = (*DNS)(nil)

// The reasons for which a look-up fails, in the words of package net.
var (
	errNoSuchHost    = errors.New("no such host")
	errNoServers     = errors.New("no DNS servers")
	errMisbehaving   = errors.New("server misbehaving")
	errCannotParse   = errors.New("cannot unmarshal DNS message")
	errLameReferral  = errors.New("lame referral")
	errTooManyCNAMEs = errors.New("too many aliases")
)

// LookupNetIP returns the addresses of a host, those of IPv4 and IPv6 mixed as
// they came for network "ip", or of one family for "ip4" and "ip6". Errors are
// *net.DNSError: IsNotFound if there is no such name or it has no such address,
// IsTimeout if no server answered in time.
func (r *DNS) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var types []dnsmessage.Type
	switch network {
	case "ip":
		types = []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
	case "ip4":
		types = []dnsmessage.Type{dnsmessage.TypeA}
	case "ip6":
		types = []dnsmessage.Type{dnsmessage.TypeAAAA}
	default:
		return nil, net.UnknownNetworkError(network)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return ofTypes([]netip.Addr{a}, types, host)
	}
	if known, ok := r.known(host); ok {
		return ofTypes(known, types, host)
	}
	names := r.names(host)
	if len(names) == 0 {
		return nil, dnsError(errNoSuchHost, host, "")
	}
	if len(r.Servers) == 0 {
		return nil, dnsError(errNoServers, host, "")
	}
	var first error
	for _, name := range names {
		addrs, err := r.both(ctx, name, types)
		if err == nil {
			return addrs, nil
		}
		err.Name = host
		if first == nil || !err.IsNotFound {
			first = err
		}
		if !err.IsNotFound || ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// known returns the addresses that no server is asked for: of Hosts, and of
// localhost (RFC 6761 section 6.3).
func (r *DNS) known(host string) ([]netip.Addr, bool) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if addrs, ok := r.Hosts[name]; ok {
		return addrs, true
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return []netip.Addr{loopback(socket.INET), loopback(socket.INET6)}, true
	}
	return nil, false
}

func ofTypes(addrs []netip.Addr, types []dnsmessage.Type, host string) ([]netip.Addr, error) {
	var kept []netip.Addr
	for _, a := range addrs {
		for _, t := range types {
			if a.Unmap().Is4() == (t == dnsmessage.TypeA) {
				kept = append(kept, a)
			}
		}
	}
	if len(kept) == 0 {
		return nil, dnsError(errNoSuchHost, host, "")
	}
	return kept, nil
}

// both asks for all types at once. Addresses of one type are an answer, even if
// the question for the other failed.
func (r *DNS) both(ctx context.Context, name string, types []dnsmessage.Type) ([]netip.Addr, *net.DNSError) {
	type answer struct {
		addrs []netip.Addr
		err   *net.DNSError
	}
	answers := make([]chan answer, len(types))
	for i, t := range types {
		answers[i] = make(chan answer, 1)
		go func() {
			addrs, err := r.chase(ctx, name, t)
			answers[i] <- answer{addrs, err}
		}()
	}
	var all []netip.Addr
	var worst *net.DNSError
	for _, c := range answers {
		a := <-c
		all = append(all, a.addrs...)
		if a.err != nil && (worst == nil || worst.IsNotFound) {
			worst = a.err
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, worst
}

// maxAliases is how many CNAME records may lead to an address.
const maxAliases = 10

// chase asks for one type, and again for the alias that an answer ends with.
func (r *DNS) chase(ctx context.Context, name string, t dnsmessage.Type) ([]netip.Addr, *net.DNSError) {
	for range maxAliases {
		addrs, alias, err := r.ask(ctx, name, t)
		if err != nil || len(addrs) > 0 {
			return addrs, err
		}
		if alias == "" {
			return nil, dnsError(errNoSuchHost, name, "")
		}
		name = alias
	}
	return nil, dnsError(errTooManyCNAMEs, name, "")
}

// ask asks the servers in turn for one type of one name, until one knows.
func (r *DNS) ask(ctx context.Context, name string, t dnsmessage.Type) (addrs []netip.Addr, alias string, err *net.DNSError) {
	q, e := newQuestion(name, t)
	if e != nil {
		return nil, "", dnsError(errNoSuchHost, name, "")
	}
	attempts := r.Attempts
	if attempts == 0 {
		attempts = 2
	}
	for range attempts {
		for _, server := range r.Servers {
			if server.Port() == 0 {
				server = netip.AddrPortFrom(server.Addr(), 53)
			}
			addrs, alias, e := r.exchange(ctx, q, server)
			if e == nil {
				return addrs, alias, nil
			}
			err = dnsError(e, name, server.String())
			if err.IsNotFound || ctx.Err() != nil {
				return nil, "", err
			}
		}
	}
	return nil, "", err
}

// dnsError is the *net.DNSError for a reason.
func dnsError(err error, name, server string) *net.DNSError {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Timeout() {
		err = errTimeout
	}
	if err == context.DeadlineExceeded || err == context.Canceled {
		err = cause("", err)
	}
	d := &net.DNSError{Err: err.Error(), Name: name, Server: server, IsNotFound: err == errNoSuchHost}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		d.UnwrapErr = err
	}
	d.IsTimeout = errors.Is(err, context.DeadlineExceeded)
	d.IsTemporary = d.IsTimeout || err == errMisbehaving || err == errCannotParse
	return d
}
