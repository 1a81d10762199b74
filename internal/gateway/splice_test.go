package gateway

import "testing"

func TestWholeSegments(t *testing.T) {
	for mss, want := range map[int]int{
		1448:           45 * 1448,
		536:            122 * 536,
		65468:          65468, // MTU 65520
		bufferSize:     bufferSize,
		bufferSize + 1: bufferSize,
		0:              bufferSize, // nobody knows
	} {
		if got := wholeSegments(mss); got != want {
			t.Errorf("of %d bytes: %d, want %d", mss, got, want)
		}
	}
}
