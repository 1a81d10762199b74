// Package peers holds berth against others: the Linux kernel over TUN, TAP and
// veth, and the programs that speak through it: curl, Go's own net/http,
// Python, iperf3, ping, traceroute; tshark reads what passed. There is nothing in
// it but tests. Linux also judges the scripts of package lab/script.
//
// The tests make network namespaces of their own and never touch the interfaces
// of the machine. They need Linux, root and the programs; what is missing is the
// reason for which a test is skipped, and with CI=true a failure (package
// testnet). Under the race detector less is transferred.
//
// Nothing asserts a rate or a time: a transfer that stalls ends by the test's
// time limit. BenchmarkTUN measures. With go test -artifacts captures are kept.
package peers
