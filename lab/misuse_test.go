package lab_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/lab"
	"example.com/berth/socket"
)

// mistake runs f in a network without a test, and returns what it says.
func mistake(t *testing.T, f func(n *lab.Network)) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := lab.New(nil)
		defer n.Close()
		defer func() {
			switch e := recover().(type) {
			case nil:
			case *lab.Error:
				text = e.Error()
			default:
				panic(e)
			}
		}()
		f(n)
	})
	return text
}

func TestMistakesAreSaid(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		f          func(n *lab.Network)
	}{
		{"an unknown node", `lab: node: there is no "wbe"; there are client, web`, func(n *lab.Network) {
			n.Host("web")
			n.Host("client")
			n.Node("wbe")
		}},
		{"a name in other letters", `lab: node: there is no "Web"; did you mean "web"?`, func(n *lab.Network) {
			n.Host("web")
			n.Node("Web")
		}},
		{"a name twice", `lab: switch: there is a host called "x" already`, func(n *lab.Network) {
			n.Host("x")
			n.Switch("x")
		}},
		{"no name", `lab: host: "" is no name: it takes letters, digits, hyphens and dots`, func(n *lab.Network) { n.Host("") }},
		{"loss over 100 %", "lab: link a with b: impair: Loss is 1.5: a probability is from 0 to 1", func(n *lab.Network) { n.Pair(lab.Loss(1.5)) }},
		{"a negative delay", "lab: link a with b: impair: Delay is -1s: it cannot be negative", func(n *lab.Network) { n.Pair(lab.Delay(-time.Second)) }},
		{"an MTU of nothing", "lab: link a with b: MTU: 20: want 68 to 65535 bytes", func(n *lab.Network) { n.Pair(lab.MTU(20)) }},
		{"an address that clashes", "lab: link c with b: address 192.0.2.1 is that of a/eth0 already", func(n *lab.Network) {
			a, b, c := n.Host("a"), n.Host("b"), n.Host("c")
			n.Link(a, b, lab.Addr(a, "192.0.2.1/24"))
			n.Link(c, b, lab.Addr(c, "192.0.2.1/24"))
		}},
		{"an address without a length", `lab: link a with b: Addr: "192.0.2.1": want an address with a prefix length, such as 192.0.2.1/24`, func(n *lab.Network) {
			a, b := n.Host("a"), n.Host("b")
			n.Link(a, b, lab.Addr(a, "192.0.2.1"))
		}},
		{"a link to itself", "lab: link a with a: both ends are the same node", func(n *lab.Network) { n.Link(n.Host("a"), n.Host("a")) }},
		{"a node of another network", "lab: link a with b: a node belongs to another network", func(n *lab.Network) {
			other := lab.New(nil)
			defer other.Close()
			n.Link(n.Host("a"), other.Host("b"))
		}},
		{"a direction of another link", "lab: link a with b: From: c is not an end of the link", func(n *lab.Network) {
			n.Pair(lab.From(n.Host("c"), lab.Loss(1)))
		}},
		{"one direction's MTU", "lab: link a with b: From: MTU and Addr are about the whole link: they stand beside From", func(n *lab.Network) {
			n.Pair(lab.From(n.Host("a"), lab.MTU(1400)))
		}},
		{"an unknown profile", "", func(n *lab.Network) { n.Pair(lab.Profile("9G", n.Host("a"))) }},
		{"a loop of switches", "lab: link t with s: the switches are joined already: a loop would flood for ever", func(n *lab.Network) {
			s, u := n.Switch("s"), n.Switch("t")
			n.Link(s, u)
			n.Link(u, s)
		}},
		{"a host after Close", "lab: host: the network is closed", func(n *lab.Network) {
			n.Close()
			n.Host("late")
		}},
		{"a change that cannot be", "lab: set a - b: impair: Loss is 2: a probability is from 0 to 1", func(n *lab.Network) {
			_, _, l := n.Pair()
			l.Set(lab.Loss(2))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := mistake(t, tt.f)
			if tt.want == "" && strings.Contains(got, "satellite-GEO") {
				return // it names those that there are
			}
			if got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
		})
	}
}

// Calls on a closed network give an error, and do not end the test.
func TestCallsAfterClose(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, _ := n.Pair()
		echo(t, b)
		c := dial(t, a, "b:7")
		n.Close()
		if _, err := a.Dial("tcp", "b:7"); !errors.Is(err, lab.ErrClosed) {
			t.Errorf("Dial gives %v, want lab.ErrClosed", err)
		}
		if _, err := a.Socket(socket.INET, socket.STREAM, 0); !errors.Is(err, lab.ErrClosed) {
			t.Errorf("Socket gives %v, want lab.ErrClosed", err)
		}
		if _, err := c.Write([]byte("x")); err == nil {
			t.Error("Write succeeds")
		}
		if err := n.Close(); err != nil {
			t.Errorf("a second Close gives %v", err)
		}
	})
}
