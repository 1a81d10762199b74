package judge

// Shrink drops steps from a schedule as long as what is left still fails, and
// returns what is left: no single step can go. Fails is called many times.
func Shrink(s *Schedule, fails func(*Schedule) bool) *Schedule {
	steps := s.steps
	for size := len(steps) / 2; size > 0; {
		dropped := false
		for at := 0; at+size <= len(steps); {
			few := make([]Step, 0, len(steps)-size)
			few = append(append(few, steps[:at]...), steps[at+size:]...)
			if fails(s.only(few)) {
				steps, dropped = few, true
			} else {
				at += size
			}
		}
		if !dropped || size > 1 {
			size /= 2
		}
		size = min(size, len(steps))
	}
	return s.only(steps)
}
