package socket

import "net/netip"

// Options that authenticate the segments of a stream socket: signatures with MD5
// (RFC 2385), and the Authentication Option, TCP-AO (RFC 5925). A key is for
// peers; on a socket that listens for those whose connections it is to accept,
// which take it along. A peer that a key is for is not spoken to without.
//
// Algorithms come from package tcpauth.
var (
	TCP_MD5SIG     = opt[TCPMD5Sig](SOL_TCP, 14) // write only; of one address
	TCP_MD5SIG_EXT = opt[TCPMD5Sig](SOL_TCP, 32) // write only; of a network
	TCP_AO_ADD_KEY = opt[TCPAOKey](SOL_TCP, 38)  // write only
	TCP_AO_DEL_KEY = opt[TCPAODelKey](SOL_TCP, 39)
	TCP_AO_INFO    = opt[TCPAOInfo](SOL_TCP, 40)
	// TCP_AO_GET_KEYS is read only: all keys of the socket, in the order in
	// which they were added, without the secrets.
	TCP_AO_GET_KEYS = opt[[]TCPAOKey](SOL_TCP, 41)
)

// Bounds of keys for TCP.
const (
	TCP_MD5SIG_MAXKEYLEN = 80
	TCP_AO_MAXKEYLEN     = 80
)

// TCPAlgorithm computes authentication codes.
type TCPAlgorithm interface {
	// Name is what Linux calls it: "hmac(sha1)".
	Name() string
	// Size is the length of a code in bytes, before it is cut.
	Size() int
	// New returns the function for one key. For TCP-AO it is also the
	// pseudorandom function by which traffic keys are derived (RFC 5926 3.1),
	// and a key may have any length.
	New(key []byte) TCPMAC
}

// TCPMAC computes authentication codes with one key. It is not safe for
// concurrent use.
type TCPMAC interface {
	// Sum appends the code of the message, which comes in pieces, to dst.
	Sum(dst []byte, message [][]byte) []byte
}

// TCPMD5Sig is the value of TCP_MD5SIG and TCP_MD5SIG_EXT: tcp_md5sig of Linux.
type TCPMD5Sig struct {
	// Peer are the addresses that the key is for. TCP_MD5SIG takes a single one.
	Peer netip.Prefix
	// Key is the secret, at most TCP_MD5SIG_MAXKEYLEN bytes. Without one, the key
	// for Peer is deleted: ENOENT if there is none.
	Key []byte
	// Algorithm is tcpauth.MD5. The operating system's sockets bring their own.
	Algorithm TCPAlgorithm
}

// TCPAOKey is a key of TCP-AO: a master key tuple (RFC 5925 3.1), and tcp_ao_add
// of Linux.
type TCPAOKey struct {
	// Peer are the addresses that the key is for.
	Peer netip.Prefix
	// SendID is the KeyID of segments that are sent with the key, RecvID that of
	// segments that arrive with it. Two keys for one peer differ in both.
	SendID, RecvID uint8
	// Secret is the master key, at most TCP_AO_MAXKEYLEN bytes.
	Secret    []byte
	Algorithm TCPAlgorithm
	// MACLen is the length of the code in segments; 0 stands for 12.
	MACLen int
	// ExcludeOptions leaves TCP options but the one with the code out of what is
	// authenticated.
	ExcludeOptions bool
	// Current has segments sent with the key from now on, RNext asks the peer to
	// do so. Not for sockets that listen (EINVAL). Reading tells which keys these
	// are.
	Current, RNext bool
	// Good and Bad count the segments that arrived with the key. Read only.
	Good, Bad uint64
}

// TCPAODelKey is the value of TCP_AO_DEL_KEY. A key that is in use is not deleted
// (EBUSY), unless others take its place.
type TCPAODelKey struct {
	Peer           netip.Prefix
	SendID, RecvID uint8
	// SetCurrent makes the key with SendID CurrentID the current one, SetRNext
	// that with RecvID RNextID the next one.
	SetCurrent, SetRNext bool
	CurrentID, RNextID   uint8
}

// TCPAOInfo is the value of TCP_AO_INFO: what holds for all keys of a socket.
// Before there are keys, it is there once it has been set; else reading it gives
// ENOENT.
type TCPAOInfo struct {
	// CurrentID is the SendID of the key that segments are sent with, RNextID the
	// RecvID of that which the peer is asked to use. Setting takes them where
	// SetCurrent or SetRNext says so. HasCurrent and HasRNext are read only.
	SetCurrent, SetRNext bool
	HasCurrent, HasRNext bool
	CurrentID, RNextID   uint8
	// Required refuses to speak to peers without a key.
	Required bool
	// AcceptICMP has ICMP errors believed that are otherwise ignored (RFC 5925 7.8).
	AcceptICMP bool
	// Counters of segments that arrived, and of ICMP errors not believed. Read
	// only.
	Good, Bad, KeyNotFound, Missing, DroppedICMP uint64
}
