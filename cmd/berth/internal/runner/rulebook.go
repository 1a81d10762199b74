package runner

import (
	"slices"
	"sync"

	"example.com/berth/internal/policy"
)

// rulebook has the rules of a run in the order in which they are asked: those of
// flags, of the file, and what the person has answered.
type rulebook struct {
	policy *policy.Policy

	mu                    sync.Mutex
	flags, file, answered []*policy.Rule
}

// read puts other rules in place of those of the file.
func (b *rulebook) read(file []*policy.Rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.file = file
	b.reload()
}

// add has an answer hold from now on.
func (b *rulebook) add(r *policy.Rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answered = append(b.answered, r)
	b.reload()
}

// reload tells the policy. The lock is held, so that the last change is the last
// told.
func (b *rulebook) reload() { b.policy.Reload(slices.Concat(b.flags, b.file, b.answered)) }
