// Package testnet gives tests a network of the Linux kernel of their own: a
// network namespace that ends with the test, TUN and TAP devices and veth pairs
// in it, and the programs of the machine run inside it (curl, ping, python3,
// iperf3, tshark).
//
//	ns := testnet.New(t)
//	dev := ns.TUN(tuntap.HostAddr("10.77.0.1/24"))
//	host.Attach(dev, "10.77.0.2/24")
//	out, err := ns.Command(ctx, "curl", "-sS", "http://10.77.0.2/").Output()
//
// The interfaces and routes of the machine are never touched.
//
// # Skipping
//
// Where a privilege, a program or the kernel's support is missing, the test is
// skipped with the reason; with CI=true in the environment it fails instead, so
// that nothing is passed over where everything was installed.
//
// Limits: namespaces need Linux, CAP_SYS_ADMIN and CAP_NET_ADMIN. On other systems
// there are only the packets, Echo and Receiver, which need a link.Device alone.
package testnet
