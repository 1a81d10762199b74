package report

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"html"
	"io"
	"strings"
)

// The page's parts. The programs are put one behind the other in this order.
var (
	//go:embed page third_party/uplot
	parts   embed.FS
	styles  = []string{"third_party/uplot/uPlot.min.css", "page/style.css"}
	scripts = []string{
		"third_party/uplot/uPlot.iife.min.js",
		"page/data.js", "page/dom.js", "page/filter.js", "page/timescale.js", "page/ladder.js", "page/arrows.js",
		"page/detail.js", "page/connection.js", "page/sequence.js", "page/plots.js", "page/topology.js",
		"page/events.js", "page/main.js",
	}
)

// Write writes the page: one HTML file. It changes nothing of r.
func Write(w io.Writer, r *Recording) error {
	data, err := pack(r)
	if err != nil {
		return err
	}
	page := read("page/page.html")
	for _, part := range []struct{ mark, text string }{
		{"<!--title-->", html.EscapeString(r.Title)},
		{"<!--licence-->", read("third_party/uplot/LICENSE")},
		{"/*style*/", concatenate(styles)},
		{"<!--data-->", data},
		{"/*script*/", concatenate(scripts)},
	} {
		before, after, _ := strings.Cut(page, part.mark)
		if _, err := io.WriteString(w, before+part.text); err != nil {
			return err
		}
		page = after
	}
	_, err = io.WriteString(w, page)
	return err
}

// pack makes the JSON of a recording, compressed, as base64: a text that has no
// meaning in HTML, whatever is in the recording.
func pack(r *Recording) (string, error) {
	data, err := encode(r)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// read gives a part, which is there: it is embedded.
func read(name string) string {
	b, err := parts.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func concatenate(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(read(name))
		b.WriteByte('\n')
	}
	return b.String()
}
