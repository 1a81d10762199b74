package gateway

import (
	"slices"
	"testing"

	"example.com/berth/link"
)

// Late is how many buffers flows hold that could not be sent.
func (g *Gateway) Late() (n int) {
	g.loop.loop.Do(func() { n = g.loop.late })
	return n
}

// Much is read into many buffers, unless flows hold too many; what somebody holds or
// has taken over is not used again.
func TestInboxes(t *testing.T) {
	var c carrier
	first := slices.Clone(c.inboxes(true))
	if len(first) != manyBuffers || len(c.inboxes(false)) != 1 {
		t.Fatalf("%d buffers, and %d", len(first), len(c.inboxes(false)))
	}
	if again := c.inboxes(true); !slices.Equal(again, first) {
		t.Error("buffers that nobody holds are not used again")
	}
	first[0].Retain()
	boxes := c.inboxes(true)
	if boxes[0] == first[0] || !slices.Equal(boxes[1:], first[1:]) {
		t.Error("one that somebody holds is used again, or others are not")
	}
	boxes[1] = nil // taken over
	if c.inboxes(true)[1] == first[1] {
		t.Error("one that was taken over is used again")
	}
	c.late = maxLate
	if n := len(c.inboxes(true)); n != 1 {
		t.Errorf("%d buffers although flows hold %d", n, c.late)
	}
	for _, b := range []*link.Buffer{first[0], first[1]} {
		b.Release()
	}
}
