package berth

import (
	"testing"

	"example.com/berth/internal/buffer"
)

// fill pushes messages of one byte, which counts up, and holds that all are taken.
func fill(t *testing.T, q *messageQueue, budget *buffer.Budget, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if full, noMemory := q.push(message{}, []byte{byte(i)}, nil, budget); full || noMemory {
			t.Fatalf("message %d of %d: full %v, no memory %v", i, to, full, noMemory)
		}
	}
}

// drain pops messages and holds that they are those numbers.
func drain(t *testing.T, q *messageQueue, budget *buffer.Budget, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if m := q.first(); m == nil || m.data[0] != byte(i) {
			t.Fatalf("message %d is not the first", i)
		}
		q.pop(budget)
	}
}

func TestMessagesLeaveAQueueInOrder(t *testing.T) {
	budget := buffer.NewBudget(1 << 20)
	q := messageQueue{limit: defaultMessageBuffer}
	put, got := 0, 0
	for _, step := range []struct{ in, out int }{
		{1, 1},
		{blockMessages, blockMessages},
		{blockMessages + 1, 1},
		{3 * blockMessages, 2 * blockMessages},
		{0, 2 * blockMessages},
		{5, 2},
		{100, 103},
	} {
		fill(t, &q, budget, put, put+step.in)
		put += step.in
		drain(t, &q, budget, got, got+step.out)
		got += step.out
		if q.n != put-got || q.bytes() != put-got {
			t.Fatalf("%d messages of %d bytes wait, want %d of one byte each", q.n, q.bytes(), put-got)
		}
	}
	if q.first() != nil || q.charge != 0 || budget.Used() != 0 {
		t.Errorf("an empty queue: first %v, charge %d, budget %d", q.first(), q.charge, budget.Used())
	}
	if q.rest(); q.head != nil || q.tail != nil {
		t.Error("an empty queue that rests owns memory")
	}
}

func TestAQueueThatIsClearedOwnsNothing(t *testing.T) {
	budget := buffer.NewBudget(1 << 20)
	q := messageQueue{limit: defaultMessageBuffer}
	fill(t, &q, budget, 0, 3*blockMessages)
	q.clear(budget)
	if q.head != nil || q.tail != nil || q.n != 0 || q.charge != 0 || budget.Used() != 0 {
		t.Errorf("%d messages, charge %d, budget %d", q.n, q.charge, budget.Used())
	}
}

func BenchmarkMessageQueue(b *testing.B) {
	budget := buffer.NewBudget(1 << 20)
	q := messageQueue{limit: defaultMessageBuffer}
	data := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		q.push(message{}, data, nil, budget)
		q.pop(budget)
	}
}
