package gosuites

import "strings"

// An Exception is a test that is known not to pass over berth.
type Exception struct {
	Package string
	Test    string // with its subtests
	Mode    Mode   // empty: both
	Reason  string
}

const (
	noDescriptor = "a socket of berth is no descriptor of the kernel: it cannot be duplicated or become a file"
	noMultipath  = "berth has no multipath TCP, where the kernel may"
	noSendfile   = "berth's sockets are not copied to in the kernel, and the test wants to see that they are"
)

// Exceptions are all that are known.
var Exceptions = []Exception{
	{Package: "net", Test: "TestFileConn/tcp", Reason: noDescriptor},
	{Package: "net", Test: "TestFileConn/udp", Reason: noDescriptor},
	{Package: "net", Test: "TestFileListener/tcp", Reason: noDescriptor},
	{Package: "net", Test: "TestFilePacketConn/udp", Reason: noDescriptor},
	{Package: "net", Test: "TestTCPListenerSpecificMethods", Reason: noDescriptor},
	{Package: "net", Test: "TestUDPConnSpecificMethods", Reason: noDescriptor},
	{Package: "net", Test: "TestIPConnSpecificMethods", Reason: noDescriptor},
	{Package: "net", Test: "TestMultiPathTCP", Reason: noMultipath},
	{Package: "net", Test: "TestSendfile", Reason: noSendfile},
	{Package: "net", Test: "TestSendfileWithExactLimit", Reason: noSendfile},
	{Package: "net", Test: "TestSendfileWithLimitLargerThanFile", Reason: noSendfile},
	{Package: "net", Test: "TestSendfileParts", Reason: noSendfile},
	{Package: "net", Test: "TestSendfileSeeked", Reason: noSendfile},
	{Package: "net", Test: "TestSplice", Reason: noSendfile + ", and for ever"},
	{Package: "net/http", Test: "TestLinuxSendfile", Reason: noDescriptor},
}

// exception is the one for a test; nil if there is none.
func exception(s Suite, m Mode, test string) *Exception {
	for i := range Exceptions {
		e := &Exceptions[i]
		if e.of(s, m) && (test == e.Test || strings.HasPrefix(test, e.Test+"/")) {
			return e
		}
	}
	return nil
}

func (e *Exception) of(s Suite, m Mode) bool {
	return e.Package == s.Package && (e.Mode == "" || e.Mode == m)
}

// stale are the exceptions whose tests passed.
func stale(s Suite, m Mode, res *Result) []*Exception {
	var all []*Exception
	for i := range Exceptions {
		if e := &Exceptions[i]; e.of(s, m) && res.Tests[e.Test] == Passed {
			all = append(all, e)
		}
	}
	return all
}
