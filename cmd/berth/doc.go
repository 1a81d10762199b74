// Command berth is the command line of berth, a TCP/IP host in user space.
//
//	berth demo                          the whole path on a network in memory
//	berth echo ADDR                     send back what comes
//	berth listen ADDR                   take a connection to standard input and output
//	berth connect ADDR                  open one
//	berth ping HOST                     ask a host for an echo
//	berth perf server|client            what a network and its stacks carry
//	berth ss                            the sockets of a running berth, or of the kernel
//	berth run -- CMD                    a program on a network of its own, by rules
//	berth lab FILE                      a network of hosts that a file describes
//	berth script FILE...                packet scripts against a host of berth's own
//
// Commands use the sockets of the operating system, or with --tun those of a
// host of berth's own, a new machine on the network:
//
//	berth echo --tun bt0 --host-addr 10.77.0.1/24 --addr 10.77.0.2/24 :50007
//
// Data go to standard output, all else to standard error. The exit status is 0
// for success, 1 for a failure of the network, 2 for a mistake in the command
// line, and 130 for an interrupt before the work was done; that of run is the
// program's, or 125.
//
// # Its parts
//
// One file here is one subcommand: its flags, its help, and a few lines that
// put together what lies below internal/:
//
//   - endpoint reads addresses, usage reports mistakes;
//   - machine is the host that a command uses, the kernel's or berth's own;
//   - relay, echoer, pinger and perf do the work of connect, listen, echo, ping
//     and perf;
//   - runner runs programs on networks of their own;
//   - labfile reads networks from files, and labrun runs them; labhost has programs
//     of several runs share one;
//   - script runs packet scripts with package lab/script;
//   - demo plays the scenes of the demonstration, and ladder draws them;
//   - sockets is the table that ss shows, and control the way to ask a running
//     berth for its own;
//   - term knows what a terminal can show.
package main
