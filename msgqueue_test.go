package berth

import (
	"bytes"
	"testing"

	"example.com/berth/internal/buffer"
)

// fill pushes messages of one byte, which counts up, and holds that all are taken.
func fill(t *testing.T, q *messageQueue, budget *buffer.Budget, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if full, noMemory := q.push(&origin{}, []byte{byte(i)}, nil, budget); full || noMemory {
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
	if q.first() != nil || q.charge != 0 {
		t.Errorf("an empty queue: first %v, charge %d", q.first(), q.charge)
	}
	if q.rest(budget); q.head != nil || q.tail != nil || budget.Used() != 0 {
		t.Errorf("an empty queue that rests owns memory, or %d bytes of the budget", budget.Used())
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

func TestAQueueTakesOfTheBudgetInSteps(t *testing.T) {
	const cost = messageOverhead + buffer.Small
	budget := buffer.NewBudget(3 * cost)
	q := messageQueue{limit: defaultMessageBuffer}
	fill(t, &q, budget, 0, 3) // a step is more than there is
	if full, noMemory := q.push(&origin{}, []byte("x"), nil, budget); full || !noMemory {
		t.Errorf("beyond the budget: full %v, no memory %v", full, noMemory)
	}
	q.clear(budget)

	budget = buffer.NewBudget(1 << 20)
	const n = 200
	fill(t, &q, budget, 0, n)
	for i := range n {
		drain(t, &q, budget, i, i+1)
		if used := int(budget.Used()); used < q.charge || used > q.charge+4*budgetStep {
			t.Fatalf("%d messages that cost %d take %d of the budget", q.n, q.charge, used)
		}
	}
}

// Short messages are copied, long ones are held by reference.
func TestAQueueHoldsLongMessagesOnly(t *testing.T) {
	budget := buffer.NewBudget(1 << 20)
	for _, size := range []int{0, 1, fewBytes, fewBytes + 1, buffer.Small} {
		q := messageQueue{limit: defaultMessageBuffer}
		buf := buffer.Get(size)
		data := buf.Bytes()[:size]
		copy(data, bytes.Repeat([]byte("ab"), size))
		q.push(&origin{}, data, buf, budget)
		if held := buf.Shared(); held != (size > fewBytes) {
			t.Errorf("a message of %d bytes: held is %v", size, held)
		}
		if got := q.first().data; !bytes.Equal(got, data) {
			t.Errorf("of %d bytes %d are queued, %q", size, len(got), got)
		}
		q.clear(budget)
		if buf.Shared() {
			t.Errorf("a message of %d bytes is held after it was dropped", size)
		}
		buf.Release()
	}
}

func BenchmarkMessageQueue(b *testing.B) {
	budget := buffer.NewBudget(1 << 20)
	q := messageQueue{limit: defaultMessageBuffer}
	data := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		q.push(&origin{}, data, nil, budget)
		q.pop(budget)
	}
}
