// Package overnet is a [socket.Provider] on package net, for operating systems
// on which nothing better is at hand. It works, and is tested, on all.
//
// It offers TCP and UDP sockets. Package net has no socket that is merely
// bound: a stream socket takes its local address when it listens or connects,
// and errors of Bind show there; a datagram socket that connects is opened anew
// at the same address. Flags other than MSG_NOSIGNAL and MSG_WAITALL, control
// messages, non-blocking mode, Poll, raw and ping sockets are ENOTSUP.
package overnet
