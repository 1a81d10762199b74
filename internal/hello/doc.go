// Package hello reads what a client says first, as far as that names the server
// that it wants: the server name of TLS and of QUIC, the Host of HTTP/1, the
// authority of HTTP/2.
//
// A [Stream] is given the first bytes of a connection until it has an answer, and
// [Datagrams] those of a flow, each, because a client may begin again on the same
// ports. Both answer with a [Said].
//
// # What is read
//
//   - TLS: the ClientHello, in however many records and pieces (tls.go,
//     clienthello.go). The name is the outer one if there is an encrypted one
//     too, and Said.ECH says that there may be.
//   - HTTP/1: the head of the first request (http1.go): Host, and the authority of
//     an absolute target or of CONNECT, which a proxy would go by.
//   - HTTP/2 without TLS: the first HEADERS (http2.go).
//   - QUIC 1 and 2: the ClientHello in Initial packets (quic.go, initial.go,
//     crypto.go), decrypted with the keys that anyone can derive.
//
// What is almost one of these, such that a lenient server might take it for one
// and a strict one not, is a Problem and no name: who asks must not be able to
// show one name here and another there. What is none of them is Unknown.
//
// # Limits
//
// Only the first request of a connection is read. Later ones go to the same
// server, but may have another Host. A stream whose first bytes are another
// protocol's, and that turns to TLS later (STARTTLS, SOCKS, a tunnel through a
// proxy that took CONNECT), is Unknown. So is DTLS. What is kept of a client is at
// most [MaxHello] bytes, and 4 times that for datagrams.
package hello
