package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// key presses one in the ladder.
func (p *page) key(keys ...string) {
	p.t.Helper()
	p.do(chromedp.Focus(chromedp.CSS(".ladder")))
	for _, k := range keys {
		p.do(chromedp.KeyEvent(k))
	}
	p.settle()
}

func (p *page) arrows() int {
	p.t.Helper()
	return value[int](p, "report.ladder.drawn.arrows.length")
}

func TestLadderHasAnArrowForEachPacket(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		p := open(t, "short", scheme, "ladder")
		p.settle()
		p.key("0")
		if got, want := p.arrows(), value[int](p, "report.doc.packets.n"); got != want || want < 15 {
			t.Errorf("%s: %d arrows of %d packets", scheme, got, want)
		}
		p.is("report.ladder.drawn.labels > 10 && report.ladder.drawn.columns === 2")
		if n := p.inked(".ladder canvas"); n < 5000 {
			t.Errorf("%s: %d points are inked", scheme, n)
		}
		p.picture("fit-" + scheme)
	}
}

func TestLostPacketsEndInACross(t *testing.T) {
	p := open(t, "bulk", "light", "ladder")
	p.do(chromedp.Click(chromedp.CSS("#impaired")))
	p.settle()
	p.key("0")
	p.is("report.ladder.drawn.crosses > 0")
	p.is("report.ladder.drawn.crosses === [...report.doc.packets.marks].filter((m) => m & MARK.dropped).length")
	p.is("report.filter.shown.every((i) => report.doc.packets.marks[i] & (IMPAIRED | MARK.resent))")
	p.key("+", "+", "+")
	p.picture("impaired")
}

func TestFilters(t *testing.T) {
	p := open(t, "six", "light", "ladder")
	all := value[int](p, "report.filter.shown.length")
	flow := value[int](p, "report.doc.flows.findIndex((f) => f.protocol === 'TCP')")
	p.do(chromedp.Click(chromedp.CSS(fmt.Sprintf(".side .row:nth-child(%d)", flow+2)))) // the first row is all
	p.settle()
	p.is(fmt.Sprintf("report.filter.flow === %d && report.filter.shown.every((i) => report.doc.packets.flow[i] === %[1]d)", flow))
	p.is("report.ladder.columns.length < 6")
	if got := value[int](p, "report.filter.shown.length"); got == 0 || got >= all {
		t.Errorf("%d of %d packets are of one flow", got, all)
	}
	p.picture("flow")
	p.do(chromedp.SendKeys(chromedp.CSS("#search"), "syn -ack"))
	p.settle()
	p.is("report.filter.shown.length >= 3 && report.filter.shown.every((i) => report.doc.packets.label[i].startsWith('SYN  '))")
	p.do(chromedp.SendKeys(chromedp.CSS("#search"), " nosuchthing"))
	p.settle()
	if got := value[string](p, "document.querySelector('.ladder .empty').textContent"); got != "No packet matches the filter." {
		t.Errorf("an empty ladder says %q", got)
	}
	p.do(chromedp.Click(chromedp.CSS("#chatter")))
	p.is("document.querySelector('#ladder-info').textContent.startsWith('0 of ')")
}

func TestZoom(t *testing.T) {
	p := open(t, "bulk", "light", "ladder")
	p.settle()
	zoom := func() float64 { return value[float64](p, "report.ladder.zoom") }
	first := zoom()
	p.key("+")
	if got := zoom(); got <= first {
		t.Errorf("+ zooms from %v to %v", first, got)
	}
	p.do(chromedp.Click(chromedp.CSS("button[title^='Zoom out']")))
	p.settle()
	if got := zoom(); got > first*1.001 {
		t.Errorf("the button zooms out to %v, from %v", got, first)
	}
	p.key("0")
	if got, want := p.arrows(), value[int](p, "report.doc.packets.n"); got != want {
		t.Errorf("all are %d arrows, of %d", got, want)
	}
	wheel := `(y, ctrl) => document.querySelector(".ladder").dispatchEvent(new WheelEvent("wheel", { deltaY: y, ctrlKey: ctrl, cancelable: true }))`
	for range 8 {
		value[bool](p, "("+wheel+")(-300, true)")
	}
	p.settle()
	near := p.arrows()
	if near == 0 || near > 1000 {
		t.Errorf("%d arrows after zooming in by the wheel", near)
	}
	top := value[float64](p, "report.ladder.top")
	value[bool](p, "("+wheel+")(400, false)")
	p.settle()
	if got := value[float64](p, "report.ladder.top"); got <= top {
		t.Errorf("the wheel moves from %v to %v", top, got)
	}
	p.do(chromedp.Click(chromedp.CSS("input[value=true]")))
	p.settle()
	p.is("!report.ladder.compressed && report.ladder.scale.height >= report.doc.length")
	for range 10 {
		p.key("+")
	}
	p.is("report.ladder.drawn.labels > 0")
	p.picture("true-scale")
	p.drag(600, 300, 600, 500, true)
	p.settle()
	p.is("report.ladder.zoom > report.ladder.height / report.ladder.scale.height * 100")
}

// drag moves the pressed mouse, with Shift if that is wanted.
func (p *page) drag(x0, y0, x1, y1 int, shift bool) {
	p.t.Helper()
	value[bool](p, fmt.Sprintf(`(() => {
		const box = document.querySelector(".ladder"), r = box.getBoundingClientRect();
		box.setPointerCapture = () => {};
		const send = (type, x, y) => box.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, button: 0, shiftKey: %v, bubbles: true }));
		send("pointerdown", %d, %d); send("pointermove", %d, %d); send("pointerup", %d, %d);
		return true;
	})()`, shift, x0, y0, x1, y1, x1, y1))
}

func TestAPacketIsTold(t *testing.T) {
	p := open(t, "short", "dark", "ladder")
	p.settle()
	p.is("document.querySelector('.detail').hidden")
	at := value[[]float64](p, `(() => {
		const a = report.ladder.drawn.arrows.find((a) => report.doc.packets.label[a.i].startsWith("SYN  ")), r = report.ladder.box.getBoundingClientRect();
		return [r.left + (a.x0 + a.x1) / 2, r.top + (a.y0 + a.y1) / 2];
	})()`)
	p.do(chromedp.MouseClickXY(at[0], at[1]))
	p.settle()
	text := value[string](p, "document.querySelector('.detail').innerText")
	for _, want := range []string{"SYN  seq 0", "Ethernet", "IPv4", "Maximum segment size", "1460", "(good)", "0000  02 00 00 00 00 ", "client → server", "20 ms"} {
		if !strings.Contains(text, want) {
			t.Errorf("the packet's page lacks %q:\n%s", want, text)
		}
	}
	p.picture("detail")
	before := value[int](p, "report.ladder.selected")
	p.key(kb.ArrowDown)
	if got := value[int](p, "report.ladder.selected"); got != before+1 {
		t.Errorf("the next packet is %d, after %d", got, before)
	}
	p.is("document.getElementById('say').textContent.includes('server to client: SYN ACK')")
	p.key(kb.Escape)
	p.is("report.ladder.selected === -1 && document.querySelector('.detail').hidden")
}

// Two hours without a packet are a break, and what is on either side of it can
// be read.
func TestIdleTimeIsCut(t *testing.T) {
	p := open(t, "keepalive", "light", "ladder")
	p.settle()
	p.is("report.ladder.scale.breaks.some((b) => b.length > 7100e9)")
	p.key(kb.End)
	p.is("report.ladder.drawn.labels > 5")
	p.is("[...report.doc.packets.marks].some((m) => m & MARK.keepAlive)")
	p.picture("keepalive")
}

func TestFiftyThousandPackets(t *testing.T) {
	p := open(t, "large", "light", "ladder")
	p.settle()
	p.is("report.doc.packets.n > 50000")
	if n := value[int](p, "document.querySelectorAll('*').length"); n > 1000 {
		t.Errorf("the page has %d elements", n)
	}
	p.is("report.ladder.drawn.arrows.length < 500")
	p.key("0")
	t.Logf("a drawing of all: %.0f ms", value[float64](p, `(() => { const t = performance.now(); report.ladder.draw(); return performance.now() - t; })()`))
	p.is("report.ladder.drawn.arrows.length === report.doc.packets.n")
	p.picture("all")
	t.Logf("a filter by text: %.0f ms, then %.0f ms", value[float64](p, `(() => { const t = performance.now(); report.filter.change({ text: "resent" }); return performance.now() - t; })()`),
		value[float64](p, `(() => { const t = performance.now(); report.filter.change({ text: "fin" }); return performance.now() - t; })()`))
	p.view("tcp")
	p.is("report.plots.charts.length === 4")
	t.Logf("the plots: %.0f ms", value[float64](p, `(() => { const t = performance.now(); report.plots.draw(); return performance.now() - t; })()`))
	p.picture("plots")
}
