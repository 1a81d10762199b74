package report

import (
	"fmt"
	"io"
)

// TextOptions say how the text is laid out. The zero value is fine.
type TextOptions struct {
	// Width is that of the text in columns; 0 stands for 100.
	Width int
	// Lines is the most lines that the ladder may have; 0 stands for 200.
	Lines int
}

// WriteText writes the ladder as text, with notes and drops in their places.
func WriteText(w io.Writer, r *Recording, o TextOptions) error {
	for i := range r.Packets {
		from, to, ok := r.ends(&r.Packets[i])
		if !ok {
			continue
		}
		if _, err := fmt.Fprintf(w, "%v %s > %s %s\n", r.Packets[i].Sent, r.node(from), r.node(to), r.Packets[i].Comment); err != nil {
			return err
		}
	}
	return nil
}
