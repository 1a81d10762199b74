// Package machine is the host that a command uses: the operating system's, or
// one of berth's own on a TUN, which lives as long as the command.
//
//	flags.Add(cmd.Flags())
//	...
//	m, err := flags.Open(ctx)
//	defer m.Close()
//	conn, err := m.Dialer().DialContext(ctx, "tcp", "10.77.0.2:50007")
//
// The table of sockets of a host of berth's own is served to 'berth ss' on a
// control socket. Limits: the TUN, and so --tun, is there on Linux only.
package machine
