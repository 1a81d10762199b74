// Package labrun builds the network of a lab file, runs its commands, plays its
// events, and says what came of it.
//
// [Play] does all that, on the wall clock or on fake time, and tells a [Printer]
// what happens as it happens: [Text] for people, [JSON] for programs.
//
// # Its parts
//
//   - play.go is the run from beginning to end, bubble.go its fake time;
//   - build.go makes the network, events.go changes it;
//   - task.go is a command that runs, and connect.go, ping.go, perf.go and http.go
//     what each kind does;
//   - server.go is what runs on the other side, and starts again when its host
//     does; echo.go, sink.go and web.go are the servers;
//   - log.go puts what is said into the order of time.
//
// # Determinism
//
// On fake time the same file with the same seed says the same, byte by byte. The
// lab sees to the packets. What is said at one instant is said in the order of
// the commands in the file; and what is counted up to an instant does not have
// what arrived at that very instant, as several goroutines are awake then.
package labrun
