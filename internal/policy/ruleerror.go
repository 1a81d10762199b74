package policy

import "example.com/berth/internal/mistake"

// A RuleError is a mistake in the text of a rule.
type RuleError = mistake.InText
