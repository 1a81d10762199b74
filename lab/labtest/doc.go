// Package labtest runs the network of a file in a Go test: the file that berth lab
// runs, and that berth run --lab gives real programs a place in.
//
//	func TestClient(t *testing.T) {
//		labtest.Run(t, "testdata/lossy.yaml", func(t *testing.T, n *lab.Network) {
//			client := n.Node("client").(*lab.Host)
//			// client.Dial("tcp", "web:80"), and so on
//		})
//	}
//
// So what failed with real programs becomes a test with the same hosts, links and
// events, on fake time, with the same packets for the same seed. 'berth lab --help'
// has the format.
//
// # Limits
//
// Package lab/labtest reads YAML, and so needs a library that package lab does
// without. What the file says of time (fake or wall) has no meaning here: a test is
// always on fake time.
package labtest
