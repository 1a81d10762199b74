// Package tcpauth has the algorithms that authenticate TCP's segments: MD5 for
// signatures (RFC 2385), HMAC-SHA-1 and AES-128-CMAC for TCP-AO (RFC 5926). They are
// values for the options TCP_MD5SIG and TCP_AO_ADD_KEY of package socket:
//
//	err := socket.Set(s, socket.TCP_AO_ADD_KEY, socket.TCPAOKey{
//		Peer: netip.MustParsePrefix("192.0.2.1/32"), SendID: 1, RecvID: 1,
//		Secret: []byte("secret"), Algorithm: tcpauth.HMACSHA1,
//	})
//
// They are here, and not where they are used, so that programs without keys link no
// cryptography.
//
// # Limits
//
// MD5 is weak (RFC 2385 3.1 said so in 1998), and is for peers that know nothing
// better.
package tcpauth
