// Package labhost has programs of several berth run share one virtual network, a
// lab of the person's own.
//
// A process of its own holds the network, which package lab makes: the first host
// to come starts it, and it ends when the last has left. Hosts reach it by a Unix
// socket in a directory that nobody else may look into.
//
//   - directory_linux.go is that directory: who may begin a lab, and who ends it;
//   - message.go is what a host and the lab say to each other before frames come;
//   - seat.go and join_linux.go are a host's side, cable.go the frames of either side;
//   - server_linux.go is the process, network_linux.go the two kinds of network: a switch that
//     anybody may come to, or what a file describes.
//
// # A host's way
//
// A host takes the directory's lock, looks whether anybody answers at the lab's
// socket, and if not starts the process, which makes directory and socket: of a host
// that is killed nothing can be left. It says who it is, and is told its addresses. From then on a message is a frame, either way.
// The lab ends under the same lock, so that nobody comes to one that is ending.
//
// # Limits
//
// Labs are on the wall clock. A host has one link. Where more frames wait for a
// program than a queue of Linux's would hold, they are dropped. Linux only.
package labhost
