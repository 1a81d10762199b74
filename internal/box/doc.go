// Package box starts a program on a network of its own: in a user, network,
// mount and process namespace, as an ordinary user or as root, with nothing set
// up beforehand. What the program sends comes out of a [link.Device].
//
//	func main() {
//		box.Main() // does not return where this process is a box's first
//		...
//		b, err := box.Start(box.Config{Args: args, Addrs: addrs, Gateways: gateways})
//		host.Attach(b.Device(), "192.0.0.1/29")
//		err = b.Run()
//		status := b.Wait()
//	}
//
// # Theory of operation
//
// [Start] executes its own program again as the first process of the new
// namespaces; [Main] knows that by the name it is called by. The first process
// makes a TUN, or where there is no /dev/net/tun a veth pair with a packet socket,
// gives it addresses and routes, and hands its descriptor out over a socket
// (network_linux.go). It lays files over those that say where names are resolved
// (mounts_linux.go) and waits. After [Box.Run] it starts the program, stripped of
// privileges (program_linux.go), reaps what is orphaned, and tells how the program
// ended. They speak in messages (message_linux.go), and neither believes the other
// more than it must.
//
// # How it ends
//
// The first process is the init of its process namespace: with it the kernel kills
// all in it. It ends with the program; when the socket to the process that called
// Start closes; and by the signal that the kernel sends it at the death of its
// parent. So nothing outlives a SIGKILL of either side. The device is gone with
// the namespace. Files exist only in a tmpfs that belongs to the namespace.
//
// # Terminal and signals
//
// The program stays in the process group, and the session, that its parent is in:
// what the terminal sends reaches it directly, a pipe on either side stays in one
// job, and the shell stops and continues that as it does any other. A signal
// that was sent to the parent alone is forwarded with [Box.Signal]; one that the
// whole group got is not delivered twice (signal_linux.go).
//
// # Pauses
//
// [Box.Pause] stops all that runs in the box, by SIGSTOP and parents first, so that
// the terminal can be used for something else; [Box.Resume] lets it go on
// (pause_linux.go).
//
// # What holds the program
//
//   - It has no descriptors but the three standard ones.
//   - It has no capabilities, unless it is root in its namespace, as root outside is
//     and as Config.Root asks for; then it has those of its namespaces, where it can
//     change nothing but its own network.
//   - A filter of system calls leaves it the socket families that a network
//     namespace confines, and no way to type into its terminal (seccomp_linux.go).
//
// It may gain privileges by executing a program that has them (no_new_privs is not
// set): they are those of its user namespace, which reach nothing outside, and ping
// and tcpdump are often installed that way.
//
// # Limits
//
// Linux only: elsewhere Start fails with an error that wraps
// [errors.ErrUnsupported]. The file system is the person's own: what listens on a
// Unix socket with a path (a desktop's bus, a container engine, an ssh agent) can
// be asked to do things outside. An ordinary user's program sees files of other
// users as those of nobody, and programs with the setuid bit run without it. Within
// a pid namespace the process group of the outside has number 0. If somebody
// replaces /etc/resolv.conf outside, what was laid over it is lost.
package box
