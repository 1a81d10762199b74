package gosuites

import "strings"

// An Exception is a test that is known not to pass over berth.
type Exception struct {
	Package string
	Test    string // with its subtests
	Mode    Mode   // empty: both
	Reason  string
	// Chance is set if the test passes as often as not, which is no error then.
	Chance bool
}

const (
	noDescriptor  = "a socket of berth is no descriptor of the kernel: it cannot be duplicated or become a file"
	quarterSecond = "its session ends when a ping is not answered, or a write not taken, within 250 ms: " +
		"less than the repair of a segment lost twice, and than a busy machine takes"
	noMultipath = "berth has no multipath TCP, where the kernel may"
	noSendfile  = "berth's sockets are not copied to in the kernel, and the test wants to see that they are"
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
	{Package: "github.com/hashicorp/yamux", Test: "TestManyStreams", Reason: quarterSecond, Chance: true},
	{Package: "github.com/hashicorp/yamux", Test: "TestManyStreams_PingPong", Reason: quarterSecond, Chance: true},
	{Package: "github.com/hashicorp/yamux", Test: "TestSendData_Large", Reason: quarterSecond, Chance: true},
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

// stale are the exceptions whose tests passed, and not by chance.
func stale(s Suite, m Mode, res *Result) []*Exception {
	var all []*Exception
	for i := range Exceptions {
		if e := &Exceptions[i]; !e.Chance && e.of(s, m) && res.Tests[e.Test] == Passed {
			all = append(all, e)
		}
	}
	return all
}
