// Package hello reads what a client says about the server that it wants: the server
// name of TLS and of QUIC, the Host of each request of HTTP/1, the authority of each
// of HTTP/2.
//
// A [Stream] is given what a client sends on a connection, until it is over: what
// follows is encrypted, or another protocol's. [Datagrams] is given those of a flow,
// each, because a client may begin again on the same ports. Both answer with what was
// [Said], and with whether there is something whose end has not come, which is to be
// held back.
//
// # What is read
//
//   - TLS: the ClientHello, in however many records and pieces (tls.go,
//     clienthello.go), and a second one if the server may ask for it. The name is the
//     outer one if there is an encrypted one too, and Said.ECH says that there may be.
//   - HTTP/1: the head of each request (http1.go): Host, and the authority of an
//     absolute target or of CONNECT, which a proxy would go by; and where the request
//     ends (framing.go). Behind CONNECT and Upgrade there may be another protocol, or
//     not, and all is read as at the beginning.
//   - HTTP/2 without TLS: all HEADERS (http2.go).
//   - QUIC 1 and 2: the ClientHellos in Initial packets (quic.go, initial.go,
//     crypto.go), decrypted with the keys that anyone can derive.
//
// What is almost one of these, such that a lenient server might take it for one
// and a strict one not, is a Problem and no name, and so is a request whose end two
// servers could see in two places: who asks must not be able to show one name here
// and another there. What is none of them is Unknown.
//
// # Limits
//
// A stream whose first bytes are another protocol's, and that turns to TLS later
// (STARTTLS, SOCKS), is Unknown. So is DTLS. What is kept of a client is at most
// [MaxHello] bytes of one message, and [MaxHello] for each of a bounded number of
// connections of datagrams; bodies are not kept.
package hello
