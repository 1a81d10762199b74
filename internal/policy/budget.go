package policy

import "time"

// A name below a wildcard, or with a service before it, carries what the program
// puts into it to the servers of the domain's owner. The rule means to let the program talk to them, but by
// the ports that it says; so names that were not asked before are slow.
const (
	// freshNames is how many of them a rule has at once, and freshEvery how long
	// it takes until there is one more.
	freshNames = 256
	freshEvery = time.Second
	// freshLength is how long the part of a name may be that is the program's.
	freshLength = 128
	// rememberedNames is how many names a rule remembers to have been asked; then
	// it begins anew.
	rememberedNames = 4096
)

// A budget is what a rule has left.
type budget struct {
	left  int
	since time.Time // when left was last reckoned
	asked map[string]struct{}
}

// budgets are those of rules by their text, so that a reload does not fill them.
type budgets map[string]*budget

// take tells whether a name may be asked for below that of a rule.
func (b *budgets) take(now time.Time, r *Rule, name string) bool {
	if len(name)-len(r.name.base()) > freshLength {
		return false
	}
	if *b == nil {
		*b = make(budgets)
	}
	one := (*b)[r.text]
	if one == nil {
		one = &budget{left: freshNames, since: now, asked: make(map[string]struct{})}
		(*b)[r.text] = one
	}
	if _, ok := one.asked[name]; ok {
		return true
	}
	if more := int(min(now.Sub(one.since)/freshEvery, freshNames)); more > 0 {
		one.left = min(one.left+more, freshNames)
		one.since = now
	}
	if one.left == 0 {
		return false
	}
	one.left--
	if len(one.asked) == rememberedNames {
		clear(one.asked)
	}
	one.asked[name] = struct{}{}
	return true
}

// keep forgets the budgets of rules that are no more.
func (b budgets) keep(list []*Rule) {
	texts := make(map[string]bool, len(list))
	for _, r := range list {
		texts[r.text] = true
	}
	for text := range b {
		if !texts[text] {
			delete(b, text)
		}
	}
}
