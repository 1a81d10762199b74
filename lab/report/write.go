package report

import (
	"io"
)

// Write writes the page.
func Write(w io.Writer, r *Recording) error {
	_, err := io.WriteString(w, "<!doctype html><html lang=en><meta charset=utf-8><title>report</title></html>")
	return err
}
