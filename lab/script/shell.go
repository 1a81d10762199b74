package script

// command does what a line for the shell asks for.
func (r *run) command(c *command) *Error { return unsupported(c.pos, "the command %q", c.text) }
