package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestPlots(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		p := open(t, "bulk", scheme, "tcp")
		p.do(chromedp.EmulateViewport(1440, 1500))
		p.settle()
		p.is("report.plots.charts.length === 4")
		for i := range 4 {
			if n := value[int](p, `(() => {
				const c = report.plots.charts[`+string(rune('0'+i))+`].ctx, d = c.getImageData(0, 0, c.canvas.width, c.canvas.height).data;
				let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] > 128) n++; return n; })()`); n < 2000 {
				t.Errorf("%s: plot %d has %d points of ink", scheme, i, n)
			}
		}
		p.is("(() => { const s = report.plots.stream(); return s.segments.length > 2000 && s.acks.length > 1000 && s.losses.length > 3 && s.rtts.length > 100 && s.samples.length > 1000; })()")
		p.is("report.plots.stream().segments.some((s) => s.resent) && report.plots.stream().acks.some((a) => a.sack.length)")
		p.picture("whole-" + scheme)
		// One is zoomed, and all are.
		value[bool](p, "(() => { report.plots.charts[2].setScale('x', { min: 0.2, max: 0.5 }); return true; })()")
		p.settle()
		p.is("report.plots.charts.every((c) => c.scales.x.min === 0.2 && c.scales.x.max === 0.5)")
		p.is("report.plots.charts[0].scales.y.max < 600000")
		p.picture("zoomed-" + scheme)
		p.do(chromedp.Click(chromedp.CSS(".plots button[title^='All']")))
		p.settle()
		p.is("report.plots.charts.every((c) => c.scales.x.max > 4)")
	}
}

func TestTheOtherDirection(t *testing.T) {
	p := open(t, "bulk", "light", "tcp")
	p.do(chromedp.Click(chromedp.CSS("input[name=way]:not(:checked)")))
	p.settle()
	p.is("report.plots.back && report.plots.stream().segments.length < 10 && report.plots.charts.length >= 3")
}

func TestTheThemeIsSwitched(t *testing.T) {
	p := open(t, "short", "light", "ladder")
	p.settle()
	background := func() string { return value[string](p, "getComputedStyle(document.body).backgroundColor") }
	canvas := func() string {
		return value[string](p, "report.ladder.canvas.getContext('2d').getImageData(5, 400, 1, 1).data.join()")
	}
	if background() != "rgb(255, 255, 255)" || canvas() != "255,255,255,255" {
		t.Errorf("light is %s, and %s on canvas", background(), canvas())
	}
	p.do(chromedp.Click(chromedp.CSS("#theme")), chromedp.Click(chromedp.CSS("#theme")))
	p.settle()
	if background() != "rgb(20, 23, 27)" || canvas() != "20,23,27,255" {
		t.Errorf("dark is %s, and %s on canvas", background(), canvas())
	}
}

func TestEventsLeadToTheLadder(t *testing.T) {
	p := open(t, "bulk", "light", "events")
	p.is("report.events.all.some((e) => e.kind === 'loss') && report.events.all.some((e) => e.text.includes('ESTABLISHED'))")
	p.do(chromedp.SendKeys(chromedp.CSS("#view-events input[type=search]"), "lost"))
	p.settle()
	p.is("report.events.shown.length > 3 && report.events.shown.every((e) => e.text.includes('lost'))")
	p.do(chromedp.Focus(chromedp.CSS("#view-events .list")), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	p.settle()
	p.is("report.view === 'ladder' && Boolean(report.doc.packets.marks[report.ladder.selected] & MARK.dropped)")
	p.picture("a-loss")
}

func TestTabsByKey(t *testing.T) {
	p := open(t, "short", "light", "")
	p.do(chromedp.Focus(chromedp.CSS("#tab-overview")), chromedp.KeyEvent(kb.ArrowRight))
	p.is("report.view === 'ladder' && document.activeElement.id === 'tab-ladder'")
	p.do(chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft))
	p.is("report.view === 'sockets' && location.hash === '#sockets'")
}

func TestNothingHappened(t *testing.T) {
	p := open(t, "empty", "dark", "")
	for view, want := range map[string]string{
		"overview": "The network has no nodes.", "ladder": "No packet was sent.", "tcp": "There was no TCP connection.",
		"events": "Nothing went wrong, and nobody remarked on anything.", "sockets": "No table of sockets was recorded.",
	} {
		p.view(view)
		p.is("document.querySelector('#view-" + view + "').innerText.includes('" + want + "')")
	}
}

func TestMaliceIsText(t *testing.T) {
	p := open(t, "malice", "light", "")
	p.is("document.title.startsWith('</script>') && document.images.length === 0")
	p.is("document.querySelector('h1').textContent.includes('<img src=x')")
}

func TestPrint(t *testing.T) {
	p := open(t, "bulk", "dark", "")
	value[bool](p, "(() => { addEventListener('beforeprint', () => { report.printed = report.ladder.drawn.labels; }); return true; })()")
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF())
	if err != nil {
		t.Fatal(err)
	}
	if len(pdf) < 50_000 {
		t.Errorf("all views on paper are %d bytes", len(pdf))
	}
	p.is("report.printed > 20")
	p.is("!document.body.classList.contains('print') && getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 27)'")
	p.keep("print.pdf", pdf)
}
