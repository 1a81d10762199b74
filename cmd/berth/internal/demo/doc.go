// Package demo plays berth's main job on a network in memory: two hosts, alice
// and bob, on a wire that loses and delays, and four scenes on it: an echo on
// stream sockets, one on datagram sockets, a ping on raw sockets, and a download
// over HTTP. What the programs call and what passes the wire is recorded.
//
// Its parts: network.go makes the hosts and the wire; actor.go is a program on
// one of them, whose calls are recorded; stream.go, datagram.go, echo.go and
// download.go are the scenes; play.go plays them; show.go shows a scene to a
// person, and report.go what came of all of it, to a person or in JSON.
package demo
