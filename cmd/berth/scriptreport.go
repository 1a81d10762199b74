package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
)

// show prints the results, and gives an error if not all passed.
func (o *scriptOptions) show(w io.Writer, runs []*scriptRun) error {
	var passed, failed, unsupported int
	for _, r := range runs {
		switch {
		case r.result.Passed():
			passed++
		case r.result.Unsupported():
			unsupported++
		default:
			failed++
		}
		var err error
		if o.json {
			err = r.json(w)
		} else {
			err = r.text(w, o.verbose)
		}
		if err != nil {
			return err
		}
	}
	if !o.json {
		if _, err := fmt.Fprintf(w, "%d passed, %d failed, %d not supported\n", passed, failed, unsupported); err != nil {
			return err
		}
	}
	if failed+unsupported > 0 {
		return errSaid
	}
	return nil
}

// text shows a run. Notes are for those who ask for them.
func (r *scriptRun) text(w io.Writer, verbose bool) error {
	out := r.log.String()
	if r.script != nil {
		for _, p := range r.script.Skipped {
			out += fmt.Sprintf("%v: a block for a name that is not defined is left out\n", p)
		}
	}
	for _, n := range r.result.Notes {
		if !verbose {
			break
		}
		out += fmt.Sprintf("%s: %s\n", r.file, n)
	}
	if r.result.Err != nil {
		out += r.result.Err.Error() + "\n"
	}
	_, err := fmt.Fprintf(w, "%s%-13s %s\n", out, r.verdict(), r.name())
	return err
}

func (r *scriptRun) json(w io.Writer) error {
	text := ""
	if r.result.Err != nil {
		text = r.result.Err.Error()
	}
	skipped := []string{}
	if r.script != nil {
		for _, p := range r.script.Skipped {
			skipped = append(skipped, p.String())
		}
	}
	return json.NewEncoder(w).Encode(struct {
		File    string   `json:"file"`
		Variant string   `json:"variant"`
		Result  string   `json:"result"`
		Error   string   `json:"error,omitempty"`
		Events  int      `json:"events"`
		Seconds float64  `json:"seconds"`
		Notes   []string `json:"notes,omitempty"`
		Skipped []string `json:"skipped,omitempty"`
	}{r.file, r.variant.String(), r.verdict(), text, r.result.Events, r.result.Time.Seconds(), r.result.Notes, skipped})
}

// The elements of JUnit's format that readers agree about.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitProblem `xml:"failure,omitempty"`
		Skipped *junitProblem `xml:"skipped,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a file; what is not supported counts as skipped there.
func writeJUnit(name string, runs []*scriptRun) error {
	s := junitSuite{Name: "berth script", Tests: len(runs)}
	for _, r := range runs {
		c := junitCase{Class: r.file, Name: r.variant.String()}
		switch {
		case r.result.Passed():
		case r.result.Unsupported():
			s.Skipped++
			c.Skipped = &junitProblem{r.verdict(), r.result.Err.Error()}
		default:
			s.Failures++
			c.Failure = &junitProblem{r.verdict(), r.result.Err.Error()}
		}
		s.Cases = append(s.Cases, c)
	}
	b, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(append([]byte(xml.Header), b...), '\n'), 0o666)
}
