package lab_test

import (
	"testing"
	"time"

	"example.com/berth/lab"
	"example.com/berth/lab/labtest"
)

func TestNetworkOfAFile(t *testing.T) {
	labtest.Run(t, "testdata/retry.yaml", func(t *testing.T, n *lab.Network) {
		client := n.Node("client").(*lab.Host)
		for range 20 {
			c := must(client.Dial("udp", "oracle:7"))
			if answer, tries, err := ask(c, "are you there?"); err != nil || answer != "are you there?" {
				t.Errorf("%q after %d tries, %v", answer, tries, err)
			}
			c.Close()
			time.Sleep(time.Second)
		}
	})
}
