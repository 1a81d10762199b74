package tcp

import (
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// An Auth authenticates the segments of one connection, by signatures with MD5
// (RFC 2385) or by TCP-AO (RFC 5925). What arrives without a good code is dropped
// before anything else looks at it; what leaves is signed by the shell, with Sign,
// once its header is written. Nil authenticates nothing.
//
// It is an interface, as keyholder is, so that a program in which nobody sets a key
// is linked without the code: both are made where an option sets a key, and only
// there.
//
// Its methods are called under the connection's lock, as those of Conn. Those about a
// segment are told of it by a copy in scratch, since what is passed to a method of an
// interface cannot be on the stack.
type Auth interface {
	scratch() *Segment
	// sign writes the code of the segment in scratch into its header.
	sign(head []byte)
	// kind is header.TCPAuthMD5 or header.TCPAuthAO, or TCPAuthNone where the
	// connection has no keys any more.
	kind() uint8
	// option is what a segment that is sent now has.
	option() header.TCPAuth
	// longest is the longest option that may be called for without notice: the peer
	// asks for another key when it likes.
	longest() header.TCPAuth
	// admits tells whether the segment in scratch, which arrived, may be looked at,
	// and counts what may not. Without keys, that is one without a code (as Linux).
	// Where it has verified a code it is the segment's Auth.
	admits(c *Counters) bool
	// ignoresICMP tells whether errors of ICMP are not believed, and counts one that
	// is not.
	ignoresICMP(c *Counters) bool
	// setISS and setIRS tell it the initial sequence numbers.
	setISS(v seqnum.Value)
	setIRS(v seqnum.Value)
	// rekey has it use the key for signatures that there now is, or none.
	rekey()
	// holder has its keys.
	holder() keyholder
	// memory returns the bytes that it takes, secrets and ciphers apart.
	memory() int
}

// A keyholder has the keys of a socket: a [Keyring], or nil.
type keyholder interface {
	// scratch is that of Auth.
	scratch() *Segment
	// judge is [Conn.Judge] for the segment in scratch.
	judge(c *Counters, local, remote netip.AddrPort) bool
	// refuses is [Conn.Refuses].
	refuses(remote netip.Addr) error
	// settle keeps only the keys of TCP-AO for a peer.
	settle(remote netip.Addr)
	// between returns who authenticates a connection.
	between(local, remote netip.AddrPort) Auth
	// memory returns the bytes that the keys take, secrets and ciphers apart.
	memory() int
}

// signedBy prepares a segment that is to be sent: it names who signs it, and has the
// option in which the code will stand.
func (seg *Segment) signedBy(a Auth) {
	if a != nil {
		seg.Auth, seg.Options.Auth = a, a.option()
	}
}

// makeRoom takes out of the options of a SYN what the code leaves no room for: with
// an MD5 signature there is none for timestamps beside SACK blocks (as Linux).
func makeRoom(a Auth, o *header.TCPOptions) {
	if a != nil && a.kind() == header.TCPAuthMD5 {
		o.HasTS = o.HasTS && !o.SACKPermitted
	}
}

// Sign writes the code into the header of a segment that [Conn.Next], or a Request,
// has given out with an Auth. The header is as header.TCP's Append makes it, with a
// checksum of zero.
func (seg *Segment) Sign(head []byte) {
	s := seg.Auth.scratch()
	*s = *seg
	seg.Auth.sign(head)
	*s = Segment{}
}

// admits is Auth's, also of a connection that never had any.
func admits(a Auth, c *Counters, seg *Segment) bool {
	switch {
	case a == nil:
		return admitsPlain(c, seg)
	case seg.Auth == a:
		return true // it was looked at before
	}
	s := a.scratch()
	*s = *seg
	ok := a.admits(c)
	seg.Auth = s.Auth
	*s = Segment{}
	return ok
}

// admitsPlain is admits where there are no keys.
func admitsPlain(c *Counters, seg *Segment) bool {
	switch seg.Options.Auth.Kind {
	case header.TCPAuthNone:
		return true
	case header.TCPAuthMD5:
		c.MD5Unexpected.Add(1)
	case header.TCPAuthAO:
		c.AOKeyNotFound.Add(1)
	default:
		c.AuthMalformed.Add(1)
	}
	return false
}
