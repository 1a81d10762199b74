package lab_test

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/lab"
	"example.com/berth/link/impair"
)

// deposits has a client pay twenty coins into a bank, one after the other, each
// again and again until the bank confirms it, and returns the balance.
func deposits(n *lab.Network, bank func(balance *uint32, coin uint32)) (balance uint32) {
	b, client := n.Host("bank"), n.Host("client")
	n.Link(client, b, lab.Delay(10*time.Millisecond), lab.Loss(0.3))
	counter := must(b.ListenPacket("udp", ":1000"))
	go func() {
		coin := make([]byte, 4)
		for {
			_, from, err := counter.ReadFrom(coin)
			if err != nil {
				return
			}
			bank(&balance, binary.BigEndian.Uint32(coin))
			counter.WriteTo(coin, from)
		}
	}()
	c := must(client.Dial("udp", "bank:1000"))
	for coin := range uint32(20) {
		for confirmed := false; !confirmed; {
			c.Write(binary.BigEndian.AppendUint32(nil, coin))
			c.SetReadDeadline(time.Now().Add(time.Second))
			_, err := c.Read(make([]byte, 4))
			confirmed = err == nil
		}
	}
	return balance
}

// careless counts each coin that it sees.
func careless(balance *uint32, _ uint32) { *balance++ }

// careful counts each coin once: it knows that they come in order.
func careful(balance *uint32, coin uint32) { *balance = max(*balance, coin+1) }

// With -lab.seeds=1000 these are a thousand tests.
func TestDeposits(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		if got := deposits(n, careful); got != 20 {
			t.Errorf("the balance is %d after twenty coins", got)
		}
	})
}

func TestShrink(t *testing.T) {
	// fails tells whether the careless bank does, and what befell packets.
	fails := func(opts ...lab.Option) (failed bool, faults []lab.Fault) {
		synctest.Test(t, func(t *testing.T) {
			n := lab.New(nil, opts...)
			defer n.Close()
			failed = deposits(n, careless) != 20
			faults = n.Faults()
		})
		return failed, faults
	}

	failed, faults := fails()
	if !failed {
		t.Fatal("the careless bank counts well")
	}
	few := lab.Minimise(faults, func(only lab.Option) bool {
		failed, _ := fails(only)
		return failed
	})
	t.Logf("it fails with %d packets lost, and still with %v", len(faults), few)
	// One is enough: the loss of a confirmation.
	if len(few) != 1 || few[0].Way != "bank>client" || few[0].Cause != impair.Lost {
		t.Errorf("shrunk to %v", few)
	}
}
