package socket

import (
	"context"
	"net/netip"
	"time"
)

// A Provider makes sockets: a TCP/IP host. It is safe for concurrent use.
type Provider interface {
	// Socket makes a socket, as socket(2). Protocol 0 takes the type's usual
	// one: TCP for STREAM, UDP for DGRAM; a RAW socket must name its protocol.
	//
	// Errors: EAFNOSUPPORT for a domain, ESOCKTNOSUPPORT for a type that the
	// domain does not have, EPROTONOSUPPORT for a protocol that the provider
	// does not have or that does not fit the type, EINVAL for numbers that no
	// type or protocol can have, EPERM where privileges are missing, EMFILE or
	// ENOBUFS at a limit.
	Socket(domain Domain, typ Type, protocol Protocol) (Socket, error)

	// Poll waits until at least one of fds has one of its Events, as poll(2),
	// fills in every Revents and returns how many of them are not zero. It
	// waits at most timeout; zero looks without waiting, and a negative one
	// waits until ctx ends, which is then the error. An entry whose Socket is
	// nil is passed over; one that is closed reports POLLNVAL. All sockets must
	// be this provider's (EINVAL).
	Poll(ctx context.Context, fds []PollFD, timeout time.Duration) (int, error)
}

// A Socket is one end of communication: stream, datagram or raw. The methods
// are the calls of the Berkeley interface under their own names; each says only
// what is particular to it here, and otherwise does what Linux does.
type Socket interface {
	// Bind gives the socket its local address. Port 0 chooses an ephemeral
	// port; an unspecified address (0.0.0.0, ::, or the zero Addr) takes
	// packets to any address of the host. For a raw socket the port is
	// ignored. A link-local address needs a zone, the interface's name.
	Bind(addr netip.AddrPort) error

	// Listen makes a bound stream socket accept connections. An unbound one is
	// bound to an ephemeral port first. Backlog is the most connections that
	// wait to be accepted; zero and below leave room for one. A second call
	// changes the backlog.
	Listen(backlog int) error

	// Accept takes the first connection from the queue, and says who called.
	// It waits for one until ctx or the read deadline ends the wait. The new
	// socket is blocking; options are inherited as on Linux.
	Accept(ctx context.Context) (Socket, netip.AddrPort, error)

	// Connect gives the socket its peer. On a stream socket it opens a
	// connection and waits until that is established, has failed, or ctx or
	// the write deadline ends the wait. The attempt then goes on by itself, as
	// after EINTR in C; Close ends it. On a non-blocking socket Connect gives
	// EINPROGRESS at once, POLLOUT tells the end, and SO_ERROR the result.
	//
	// On a datagram or raw socket it fixes the peer for Send and filters what
	// is received; the zero AddrPort dissolves that (AF_UNSPEC).
	Connect(ctx context.Context, addr netip.AddrPort) error

	// Send sends to the connected peer. On a blocking stream socket it returns
	// when all of b is in the send buffer, or with the number of bytes that are
	// and an error. On a non-blocking one n may be less than len(b) without an
	// error.
	Send(b []byte, flags Flags) (n int, err error)

	// SendTo sends a datagram to an address. On a connected stream socket the
	// address must be the zero AddrPort, or is ignored as on Linux (EISCONN is
	// given for a mismatch only by datagram protocols that forbid it).
	SendTo(b []byte, flags Flags, to netip.AddrPort) (n int, err error)

	// SendMsg sends the bytes of m.Buffers, one after the other, as one call of
	// Send or SendTo would, with m.Control; m.Addr may be zero on a connected
	// socket. It does not change m.
	SendMsg(m *Message, flags Flags) (n int, err error)

	// Recv receives into b. On a stream, n is 0 without an error when the peer
	// has ended its half (and b is not empty). A datagram that is longer than b
	// is cut; n is what was stored, or the full length with MSG_TRUNC.
	Recv(b []byte, flags Flags) (n int, err error)

	// RecvFrom is Recv that also tells the sender. On a stream the address is
	// the zero AddrPort.
	RecvFrom(b []byte, flags Flags) (n int, from netip.AddrPort, err error)

	// RecvMsg is Recv that fills m.Buffers one after the other and sets m.Addr,
	// m.Control and m.Flags. With MSG_ERRQUEUE it takes the first entry of the
	// error queue (m.Control.Err), and EAGAIN if there is none, never waiting.
	RecvMsg(m *Message, flags Flags) (n int, err error)

	// AtMark tells whether the next byte of a stream is the last urgent one
	// (SIOCATMARK, sockatmark(3)). Recv stops before that byte once it has taken
	// anything. Out of the stream, with MSG_OOB, it is received by itself, without
	// waiting: EINVAL if there is none, or it stays in the stream (SO_OOBINLINE);
	// EAGAIN if it was announced and has not come. ENOTTY where there are no
	// streams.
	AtMark() (bool, error)

	// Shutdown ends one direction or both without closing the socket. On a
	// stream SHUT_WR sends what is buffered and then FIN.
	Shutdown(how How) error

	// Close closes the socket. What a stream has still to send is sent in the
	// background, unless SO_LINGER says otherwise. Blocked calls end with
	// EBADF. A second Close gives EBADF.
	Close() error

	// LocalAddr is getsockname(2): the zero address of the domain and port 0
	// before Bind. After Close it is still what it was.
	LocalAddr() netip.AddrPort

	// PeerAddr is getpeername(2): ENOTCONN without a peer.
	PeerAddr() (netip.AddrPort, error)

	// SetOption and Option are setsockopt(2) and getsockopt(2) without types;
	// [Set] and [Get] are the typed forms that programs use. The value has the
	// type that the option's declaration names; another type gives EINVAL, an
	// unknown option ENOPROTOOPT.
	SetOption(id OptionID, value any) error
	Option(id OptionID) (any, error)

	// SetNonblock makes every call return EAGAIN (or EINPROGRESS) rather than
	// wait, as O_NONBLOCK; deadlines then have no meaning.
	SetNonblock(on bool) error

	// SetDeadline, SetReadDeadline and SetWriteDeadline end waiting calls, those
	// under way and those to come, with os.ErrDeadlineExceeded at time t. The
	// zero Time takes the deadline away. Reading is Accept and the Recvs,
	// writing is Connect and the Sends.
	SetDeadline(t time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}
