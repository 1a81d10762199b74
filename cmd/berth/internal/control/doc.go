// Package control is the way to a running berth: a Unix socket in a directory
// that only its user may enter, with a protocol of JSON lines.
//
//	-> {"op":"sockets"}
//	<- {"info":{"pid":4711,"name":"bt0",...},"sockets":[...]}
//
// Each line asks for one thing and gets one line: "info" or "sockets"; anything
// else gets {"error":"..."}.
//
// The sockets lie in $XDG_RUNTIME_DIR/berth or, without that, in
// /tmp/berth-UID, which is refused if it belongs to somebody else or is open to
// others. One that nobody answers on is removed by the next who looks.
package control
