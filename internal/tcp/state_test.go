package tcp

import (
	"testing"

	"example.com/berth/socket"
)

func TestActiveOpen(t *testing.T) {
	tc := talk(t)
	tc.connect()
	tc.input("S. 0:0(0) ack 1 win 65535 " + allOptions)
	tc.want(". 1:1(0) ack 1")
	tc.wantNothing()
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.write(100)
	tc.want("P. 1:101(100) ack 1")
	tc.input("P. 1:51(50) ack 101 win 512 <TS val 101 ecr 3601000>")
	tc.want(". 101:101(0) ack 51")
	if b := tc.read(50); string(b) != string(pattern(1, 50)) {
		t.Errorf("read %v", b)
	}
	tc.closeWrite()
	tc.want("F. 101:101(0) ack 51")
	tc.wantState(socket.TCP_FIN_WAIT1)
	tc.input(". 51:51(0) ack 102 win 512")
	tc.wantState(socket.TCP_FIN_WAIT2)
	tc.input("F. 51:51(0) ack 102 win 512")
	tc.wantState(socket.TCP_TIME_WAIT)
	tc.want(". 102:102(0) ack 52")
	tc.wantEOF()
	tc.wantDeadline(tc.p.TimeWait)
	tc.fire()
	tc.wantState(socket.TCP_CLOSE)
	if !tc.c.Done() {
		t.Error("not done")
	}
}
