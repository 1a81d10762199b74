// Command run measures what `berth run` costs a program, beside the other ways to
// give one a network without privileges: pasta, slirp4netns and gvisor-tap-vsock.
//
//	go run ./run                                  # all, about a quarter of an hour
//	go run ./run -contenders berth,pasta -workloads 'up*' -mtu 1500 -reps 5
//	go run ./run -also old=/tmp/berth             # another berth beside this one
//	go run ./run -from runs.jsonl                 # the table of earlier runs
//
// # How it is fair
//
// Each trial has an outside of its own: a network namespace with a server on its
// loopback. There an ordinary user (nobody) starts the contender, and by it a
// program inside, which is the same for all. The server and the program are of
// this command and compare every byte. All contenders take their turn within one
// repetition, and ratios are taken within it. Besides speed the table shows the
// CPU time of the contender with all its processes. Who is not installed is left
// out: pasta and slirp4netns are looked for in PATH, and so are gvproxy and
// gvforwarder, which are built otherwise.
//
// # Its parts
//
//   - main.go, plan.go: flags; the trials in their order. table.go: what came out.
//   - outside.go: the namespace of a trial. trial.go: one trial, from within it.
//   - contender.go: how each is started. process.go: what its processes use.
//   - server.go outside, and client.go, stream.go, request.go, datagram.go inside:
//     the workloads.
//
// # Limits
//
// Linux, as root (for the namespaces of outsides), with iproute2.
package main
