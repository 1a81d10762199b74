package tcp

import (
	"fmt"
	"syscall"
	"testing"

	"example.com/berth/internal/buffer"
	"example.com/berth/socket"
)

// A writer that the budget refuses is told to wait, and called when there is
// room; each connection can always send something.
func TestWriterAtTheEndOfTheBudget(t *testing.T) {
	budget := buffer.NewBudget(100_000)
	tc := established(t, noOptions, func(p *Params) { p.Budget = budget })
	budget.TakeAnyway(100_000)
	tc.c.SetSndBuf(1 << 20)
	n, err := tc.c.Write(tc.now, make([]byte, 50_000), false)
	if err != nil || n < 1000 || tc.c.sendQ.held > 4096+buffer.Medium {
		t.Fatalf("wrote %d, %v, holds %d", n, err, tc.c.sendQ.held)
	}
	if _, err := tc.c.Write(tc.now, []byte("x"), false); err == nil {
		if _, err = tc.c.Write(tc.now, make([]byte, 5000), false); err != syscall.EAGAIN {
			t.Errorf("a second write: %v", err)
		}
	}
	if e := tc.c.Events(); e&socket.POLLOUT != 0 {
		t.Errorf("events %v", e)
	}
	if tc.count().NoSendMemory.Load() == 0 {
		t.Error("not counted")
	}
	tc.pull()
	tc.skip()
	tc.input(". 1:1(0) ack 2001 win 50000")
	if e := tc.c.Events(); e&socket.POLLOUT == 0 {
		t.Errorf("events %v when something is acknowledged", e)
	}
	tc.c.Abort(tc.now)
	if u := budget.Used(); u != 100_000 {
		t.Errorf("%d bytes taken", u)
	}
}

func TestReceiverAtTheEndOfTheBudget(t *testing.T) {
	budget := buffer.NewBudget(1 << 20)
	tc := established(t, sackOnly, func(p *Params) { p.Budget = budget })
	tc.input("P. 2001:3001(1000) ack 1 win 50000")
	tc.want(". 1:1(0) ack 1 <sack 2001:3001>")
	budget.TakeAnyway(1 << 20)

	// Out of order: refused.
	tc.input("P. 4001:5001(1000) ack 1 win 50000")
	tc.want(". 1:1(0) ack 1 <sack 2001:3001>")
	if tc.count().OutOfOrderDrops.Load() != 1 {
		t.Error("not counted")
	}
	// In order: taken below the floor.
	for i := range 4 {
		tc.c.dropOutOfOrder()
		tc.input(fmt.Sprintf("P. %d:%d(1000) ack 1 win 50000", 1+i*1000, 1001+i*1000))
		tc.skip()
	}
	if n, _ := tc.c.Queues(); n != 4000 {
		t.Errorf("%d bytes were taken", n)
	}
	tc.input("P. 4001:6001(2000) ack 1 win 50000")
	if n, _ := tc.c.Queues(); n != 4096 || tc.count().RcvBufFull.Load() != 1 {
		t.Errorf("%d bytes were taken, want the floor", n)
	}
	if s := tc.want(". 1:1(0) ack 4097"); s.Window != 0 {
		t.Errorf("a window of %d, with no memory for it", s.Window)
	}
	// No more than the floor is promised.
	edge := tc.irs.Add(1 + 4096 + 4096)
	tc.read(4096)
	tc.input("P. 4001:5001(1000) ack 1 win 50000")
	tc.skip()
	if tc.c.rcv.edge != edge {
		t.Errorf("the window grew by %d", tc.c.rcv.edge.Sub(edge))
	}
	budget.Give(1 << 20)
	tc.input("P. 5001:6001(1000) ack 1 win 50000")
	tc.skip()
	if tc.c.rcv.edge == edge {
		t.Error("the window does not grow any more")
	}
	tc.close()
	if u := budget.Used(); u != 0 {
		t.Errorf("%d bytes taken", u)
	}
}

// What is in order displaces what is not.
func TestOrderComesFirstAtTheEndOfTheBudget(t *testing.T) {
	budget := buffer.NewBudget(12_000)
	tc := established(t, sackOnly, func(p *Params) { p.Budget = budget })
	for i := range 4 {
		tc.input(fmt.Sprintf("P. %d:%d(1000) ack 1 win 50000", 10001+i*2000, 11001+i*2000))
	}
	for i := range 8 {
		tc.input(fmt.Sprintf("P. %d:%d(1000) ack 1 win 50000", 1+i*1000, 1001+i*1000))
	}
	if n, _ := tc.c.Queues(); n != 8000 {
		t.Errorf("%d bytes in order", n)
	}
	if tc.c.ooo != nil {
		t.Error("what was out of order is still there")
	}
	if budget.Used() > 14_000 {
		t.Errorf("%d bytes taken of 12000", budget.Used())
	}
}

// Two connections over a bad network with hardly any memory still finish.
func TestTransferWithoutMemory(t *testing.T) {
	for seed := range uint64(20 / raceScale) {
		ch := newChannel(t, seed)
		ch.loss, ch.jitter = 0.02, 5e6
		for _, s := range ch.ends {
			s.p.Budget = buffer.NewBudget(10_000)
			s.send = 200_000
			s.slow = true
		}
		ch.connect(1500, 0)
		ch.run(1_000_000)
		ch.wantAll()
	}
}
