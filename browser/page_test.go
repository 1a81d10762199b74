package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/berth/lab/report"
	"example.com/berth/lab/report/reporttest"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// page is one that is open in a browser.
type page struct {
	t   *testing.T
	ctx context.Context
}

// chromium is the program; the test is skipped where there is none.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("needs chromium (not skipped, as CI=true)")
	}
	t.Skip("needs chromium")
	return ""
}

// open writes a story's page to a file and opens it. What the page says on its
// console, and what it asks the network for, fails the test.
func open(t *testing.T, story, scheme, view string) *page {
	t.Helper()
	return openRecording(t, reporttest.Stories[story](t), scheme, view)
}

func openRecording(t *testing.T, rec *report.Recording, scheme, view string) *page {
	t.Helper()
	program := chromium(t)
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Write(f, rec); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 900), chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	p := &page{t: t}
	p.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(p.listen))
	t.Cleanup(cancel)
	colours := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
	_, err = chromedp.Call(p.ctx, network.Enable, network.EnableParams{})
	_, err2 := chromedp.Call(p.ctx, log.Enable, cdp.Empty{})
	_, err3 := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{colours}})
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.Navigate("file://" + file + "#" + view))
	p.wait("report.ready || report.errors.length > 0")
	return p
}

// listen fails the test for what a page that is well does not do.
func (p *page) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.t.Errorf("exception: %s", exception(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		p.t.Errorf("console: %s", e.Type)
	case *log.EventEntryAdded:
		if !strings.HasPrefix(e.Entry.Text, "Canvas2D:") { // about the test's own look at a canvas
			p.t.Errorf("log: %s", e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file:") && !strings.HasPrefix(e.Request.URL, "blob:") {
			p.t.Errorf("the page asks for %s", e.Request.URL)
		}
	}
}

func exception(e *runtime.ExceptionDetails) string {
	if e.Exception != nil {
		return e.Text + " " + e.Exception.Description
	}
	return e.Text
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits until an expression is true.
func (p *page) wait(expression string) {
	p.t.Helper()
	p.do(chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(time.Minute)))
}

// value evaluates an expression in a page, and waits for what it promises.
func value[T any](p *page, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// settle waits for what is to be drawn.
func (p *page) settle() {
	p.t.Helper()
	value[int](p, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(0), 0))))")
}

// is fails the test unless an expression is true.
func (p *page) is(expression string) {
	p.t.Helper()
	if !value[bool](p, expression) {
		p.t.Errorf("not so: %s", expression)
	}
}

// view goes to a view of the page.
func (p *page) view(name string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS("#tab-" + name)))
	p.settle()
}

// picture keeps what the page looks like, with -artifacts.
func (p *page) picture(name string) {
	p.t.Helper()
	p.settle()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	p.keep(name+".png", png)
	if len(png) < 5000 {
		p.t.Errorf("%s: a picture of %d bytes has nothing on it", name, len(png))
	}
}

// keep keeps a file, with -artifacts.
func (p *page) keep(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.t.ArtifactDir(), name), data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// inked is how many of a canvas's points differ from its first row's: that
// something is drawn on it.
func (p *page) inked(canvas string) int {
	p.t.Helper()
	return value[int](p, fmt.Sprintf(`(() => {
		const c = document.querySelector(%q), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data, seen = new Map();
		for (let i = 0; i < d.length; i += 4) { const k = d[i] << 16 | d[i+1] << 8 | d[i+2]; seen.set(k, (seen.get(k) || 0) + 1); }
		return d.length / 4 - Math.max(...seen.values());
	})()`, canvas))
}
