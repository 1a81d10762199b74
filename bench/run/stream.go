package main

// streamUp sends on n connections.
func streamUp(r *inside, n int) error {
	for range n {
		c, err := r.dial(askSink)
		if err != nil {
			return err
		}
		go r.until(func() error { return pour(c) })
	}
	return nil
}

// streamDown receives on n connections.
func streamDown(r *inside, n int) error {
	for range n {
		c, err := r.dial(askSource)
		if err != nil {
			return err
		}
		go r.until(func() error { return drink(c, &r.bytes) })
	}
	return nil
}

// until runs f, which ends only by an error.
func (r *inside) until(f func() error) {
	err := f()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}
