package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/berth/internal/testnet"
)

// recordings are what docs/run.md shows, as a person would type it. The servers are
// on the loopback of a namespace.
var recordings = []struct {
	name  string
	tools []string
	lines []string
}{
	{"agent", []string{"curl", "ssh"}, []string{
		"berth run --loopback --allow host.berth.internal:8000 -- sh agent.sh",
	}},
	{"npm", []string{"npm"}, []string{
		"berth run --loopback=192.0.0.4 --learn learned.yaml -- npm install --silent --registry http://host.berth.internal:8000 tiny",
		"cat learned.yaml",
		"berth run --loopback=192.0.0.4 --policy learned.yaml -- npm view --registry http://host.berth.internal:8000 tiny description",
	}},
	{"3g", []string{"curl"}, []string{
		"berth run --loopback -- curl -s -o page -w '%{size_download} bytes in %{time_total} s\\n' http://host.berth.internal:8000/page",
		"berth run --loopback --profile 3G -- curl -s -o page -w '%{size_download} bytes in %{time_total} s\\n' http://host.berth.internal:8000/page",
	}},
}

// recordedSeconds are what differs between two recordings.
var recordedSeconds = regexp.MustCompile(`\d+\.\d+ s\b`)

// stable are the lines of a recording without its times, in an order of their own: what
// berth says and what the program says may change places.
func stable(text string) []string {
	lines := strings.Split(recordedSeconds.ReplaceAllString(text, "0.0 s"), "\n")
	slices.Sort(lines)
	return lines
}

func recordingFile(name string) string {
	return filepath.Join("testdata", "run", "recordings", name+".txt")
}

// TestRunRecordings: the documentation shows what berth does.
func TestRunRecordings(t *testing.T) {
	testnet.NeedRoot(t)
	ns := testnet.New(t)
	var ln net.Listener
	var err error
	ns.Do(func() { ln, err = net.Listen("tcp", "127.0.0.1:8000") })
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: recordedServer()}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	for _, r := range recordings {
		t.Run(r.name, func(t *testing.T) {
			for _, tool := range r.tools {
				needTool(t, tool)
			}
			got := record(t, ns, r.lines)
			golden := recordingFile(r.name)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(stable(got), stable(string(want))) {
				t.Errorf("it is now\n%s\nand was\n%s", got, want)
			}
		})
	}
}

// TestRunRecordingsInDocumentation needs nothing but the files.
func TestRunRecordingsInDocumentation(t *testing.T) {
	doc, err := os.ReadFile("../../docs/run.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recordings {
		text, err := os.ReadFile(recordingFile(r.name))
		if err != nil || !bytes.Contains(doc, append([]byte("```console\n"), text...)) {
			t.Errorf("docs/run.md does not have the recording %s as it is, %v", r.name, err)
		}
	}
}

// record runs lines as a shell does, and returns them with what they wrote.
func record(t *testing.T, ns *testnet.NS, lines []string) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("testdata/run/agent.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "agent.sh"), script, 0o644); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, filepath.Join(dir, "berth")); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&all, "$ %s\n", line)
		cmd := ns.Command(t.Context(), "sh", "-c", line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "BERTH_TEST_AS_COMMAND=1", "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir,
			"npm_config_update_notifier=false", "npm_config_audit=false", "npm_config_fund=false", "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		if _, ok := err.(*exec.ExitError); err != nil && !ok {
			t.Fatal(err)
		}
		all.WriteString(strings.ReplaceAll(out, "\r", "")) // ssh ends lines for a terminal
	}
	return all.String()
}

// recordedServer has a task, a page, and a registry with one package.
func recordedServer() http.Handler {
	var tarball bytes.Buffer
	zip := gzip.NewWriter(&tarball)
	files := tar.NewWriter(zip)
	const manifest = `{"name":"tiny","version":"1.0.0","description":"next to nothing"}`
	_ = files.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(manifest))})
	_, _ = io.WriteString(files, manifest)
	_, _ = files.Close(), zip.Close()
	sum := sha512.Sum512(tarball.Bytes())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /task", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Add two and two.") })
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100_000)) })
	mux.HandleFunc("GET /tiny", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"name":"tiny","description":"next to nothing","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"tiny","version":"1.0.0","description":"next to nothing",
			"dist":{"tarball":"http://%s/tiny.tgz","integrity":"sha512-%s"}}}}`, r.Host, base64.StdEncoding.EncodeToString(sum[:]))
	})
	mux.HandleFunc("GET /tiny.tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tarball.Bytes()) })
	return mux
}
