"use strict";
// The view of TCP connections: a list, and the plots of one direction of the
// chosen one. They share one axis of time.

class Plots {
  constructor(doc, reveal) {
    Object.assign(this, { doc, reveal, charts: [], streams: new Map() });
    this.flows = doc.flows.map((f, k) => k).filter((k) => doc.flows[k].protocol === "TCP");
    this.list = new VirtualList("TCP connections", 44, (i) => flowRow(doc.flows[this.flows[i]]), (i) => this.choose(this.flows[i]));
    this.area = el("section", { class: "plots", "aria-label": "Plots" });
    this.root = el("div", { class: "split" }, el("aside", { class: "side" }, el("h2", {}, "TCP connections"), this.list.root), this.area);
    if (this.flows.length === 0) this.area.append(el("p", { class: "empty" }, "There was no TCP connection."));
    this.area.addEventListener("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.resize()).observe(this.area);
  }

  // shown is called when the view comes to the front.
  shown() {
    if (this.flow === undefined && this.flows.length) {
      const most = (f) => Math.max(...this.doc.flows[f].bytes);
      const best = this.flows.reduce((a, b) => (most(b) > most(a) ? b : a));
      this.list.set(this.flows.length, this.flows.indexOf(best));
      this.choose(best);
    } else this.list.draw();
    this.resize();
  }

  choose(flow, back) {
    const f = this.doc.flows[flow];
    this.flow = flow;
    this.back = back ?? f.bytes[1] > f.bytes[0];
    this.list.set(this.flows.length, this.flows.indexOf(flow));
    this.draw();
  }

  stream() {
    const key = this.flow * 2 + Number(this.back);
    if (!this.streams.has(key)) this.streams.set(key, new Stream(this.doc, this.flow, this.back));
    return this.streams.get(key);
  }

  draw() {
    for (const c of this.charts) c.destroy();
    this.charts = [];
    if (this.flow === undefined) return;
    const s = this.stream(), ink = colours(INKS), holders = [];
    this.area.replaceChildren(this.head(s));
    const plots = [sequencePlot(s, ink, this), flightPlot(s, ink), windowPlot(s, ink), roundTripPlot(s, ink)];
    const times = [...s.segments, ...s.acks].map((e) => e.t / 1e9).concat(s.samples.map((k) => this.doc.samples.at[k] / 1e9));
    const [t0, t1] = bounds(times), pad = (t1 - t0) * 0.01 || 0.001;
    this.range = this.whole = { min: t0 - pad, max: t1 + pad };
    for (const plot of plots) {
      const holder = el("div", { class: "chart" });
      this.area.append(el("figure", {}, el("figcaption", {}, plot.title, el("span", { class: "key" }, plot.key)), holder));
      holders.push(holder);
      if (!plot.data[0].length) {
        holder.append(el("p", { class: "dim" }, plot.none));
        continue;
      }
      this.charts.push(new uPlot(this.options(plot, ink, s), plot.data, holder));
    }
    if (this.charts.length) this.setX(this.whole);
  }

  head(s) {
    const way = (back) => el("label", {}, el("input", { type: "radio", name: "way", checked: Boolean(this.back) === back,
      onchange: () => this.choose(this.flow, back) }), new Stream.Name(this.doc.flows[this.flow], back).text);
    const button = (text, title, act) => el("button", { type: "button", title, "aria-label": title, onclick: act }, text);
    const from = s.sender >= 0 ? `, as ${this.doc.nodes[s.sender].name} saw it` : "";
    return el("div", { class: "toolbar" }, el("fieldset", {}, el("legend", { class: "unseen" }, "Direction"), way(false), way(true)),
      el("span", { class: "group" }, button("−", "Zoom out (−)", () => this.zoom(1.6)), button("+", "Zoom in (+)", () => this.zoom(1 / 1.6)),
        button("◀", "Earlier (←)", () => this.pan(-0.3)), button("▶", "Later (→)", () => this.pan(0.3)), button("Fit", "All (0)", () => this.setX(this.whole))),
      el("label", { title: "Also if it is far above what was sent" }, el("input", { type: "checkbox", checked: Boolean(this.wholeWindow), onchange: (e) => {
        this.wholeWindow = e.target.checked;
        this.setX(this.range);
      } }), "Whole window"),
      el("span", { class: "hint" }, "drag: zoom · double-click: all · click a segment: its packet"),
      el("p", { class: "dim wide", id: "stream-info" }, s.summary() + from));
  }

  options(plot, ink, stream) {
    const axis = { stroke: ink.dim, grid: { stroke: ink.line, width: 0.5 }, ticks: { stroke: ink.line, width: 0.5 }, font: "11px system-ui, sans-serif" };
    return {
      width: this.width(), height: plot.height,
      scales: { x: { time: false }, y: { range: plot.range } },
      axes: [{ ...axis, size: 30, values: (u, v) => v.map((x) => secondsLabel(x, v)) }, { ...axis, size: 76, values: plot.values, incrs: plot.incrs }],
      series: [{ label: "t", value: (u, v) => (v === null ? "" : v.toFixed(6) + " s") }, ...plot.series],
      cursor: { sync: { key: "tcp", setSeries: false }, drag: { x: true, y: false }, focus: { prox: -1 } },
      hooks: {
        draw: [drawLosses(stream, ink), ...(plot.draw ? [plot.draw] : [])],
        setScale: [(u, key) => key === "x" && this.follow(u)],
        ready: [(u) => u.over.addEventListener("dblclick", () => this.setX(this.whole)),
          (u) => plot.pick && u.over.addEventListener("click", (e) => plot.pick(u, e, this.reveal))],
      },
    };
  }

  // width is the view's, or a page's.
  width() {
    return document.body.classList.contains("print") ? 660 : Math.max(320, this.area.clientWidth - 24);
  }

  // follow gives all plots the range of one.
  follow(u) {
    if (this.following) return;
    const { min, max } = u.scales.x;
    this.setX({ min, max });
  }

  setX(range) {
    this.following = true;
    this.range = range;
    for (const c of this.charts) c.setScale("x", range);
    // The scales are committed in a microtask; what they call until then is ours.
    queueMicrotask(() => queueMicrotask(() => (this.following = false)));
  }

  zoom(factor) {
    const { min, max } = this.range, mid = (min + max) / 2, half = ((max - min) / 2) * factor;
    if (half < 1e-8) return;
    this.setX({ min: Math.max(this.whole.min, mid - half), max: Math.min(this.whole.max, mid + half) });
  }

  pan(share) {
    const { min, max } = this.range, by = (max - min) * share;
    const step = Math.max(this.whole.min - min, Math.min(this.whole.max - max, by));
    this.setX({ min: min + step, max: max + step });
  }

  key(e) {
    if (e.target.matches("input")) return;
    const act = { "+": () => this.zoom(1 / 1.6), "=": () => this.zoom(1 / 1.6), "-": () => this.zoom(1.6), 0: () => this.setX(this.whole),
      ArrowLeft: () => this.pan(-0.3), ArrowRight: () => this.pan(0.3) }[e.key];
    if (!act || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    act();
  }

  resize() {
    if (!this.area.clientWidth) return;
    for (const c of this.charts) if (c.width !== this.width()) c.setSize({ width: this.width(), height: c.height });
  }
}

// Name is how a direction is called before its Stream is needed.
Stream.Name = class {
  constructor(f, back) { this.text = back ? `${f.dst} → ${f.src}` : `${f.src} → ${f.dst}`; }
};

function secondsLabel(x, all) {
  const step = all.length > 1 ? all[1] - all[0] : 1;
  return duration(x * 1e9, step * 1e9);
}

const bytesLabels = (u, v) => v.map((x) => (Math.abs(x) >= 1e6 ? (x / 1e6).toFixed(2) + " MB" : Math.abs(x) >= 1e3 ? (x / 1e3).toFixed(1) + " kB" : String(x)));
const bytesValue = (u, v) => (v === null || v === undefined ? "—" : count(Math.round(v)));

// Bytes have no fractions.
const wholeNumbers = Array.from({ length: 13 }, (_, k) => [1, 2, 2.5, 5].map((x) => x * 10 ** k)).flat().filter(Number.isInteger);

function key(entries) {
  return entries.map(([css, shape, text]) => el("span", { class: "entry" }, el("span", { class: `ink-${css}`, "aria-hidden": "true" }, shape + " "), text));
}

function step(ink, label, extra = {}) {
  return { label, stroke: ink, width: 1.3, spanGaps: true, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }), value: bytesValue, ...extra };
}

function sequencePlot(s, ink, plots) {
  return {
    title: "Time-sequence", height: 340, data: sequenceData(s), range: sequenceRange(s, plots), values: bytesLabels, incrs: wholeNumbers, none: "Nothing was sent.",
    key: key([["there", "▮", "segment"], ["warn", "▮R", "sent again"], ["bad", "✗", "lost"], ["back", "━", "acknowledged"], ["other", "━", "window"],
      ["mark", "│", "SACK"], ["back", "╷", "duplicate ack"]]),
    series: [{ label: "sent up to", stroke: ink.there, width: 0, paths: () => null, points: { show: false }, spanGaps: true, value: bytesValue },
      step(ink.back, "acknowledged"), step(ink.other, "window's edge")],
    draw: drawSequence(s, ink),
    // pick goes to the segment that is nearest to where was clicked.
    pick(u, e, reveal) {
      let best = null, least = 12;
      for (const seg of s.segments) {
        const dx = Math.abs(u.valToPos(seg.t / 1e9, "x") - e.offsetX);
        if (dx >= least) continue;
        const dy = Math.max(0, e.offsetY - u.valToPos(seg.seq, "y"), u.valToPos(seg.end, "y") - e.offsetY);
        if (Math.hypot(dx, dy) < least) [best, least] = [seg, Math.hypot(dx, dy)];
      }
      if (best) reveal(best.i);
    },
  };
}

// zeroUp is a range from 0 to a little above the highest.
const zeroUp = (u, min, max) => [0, (max || 1) * 1.08];

function flightPlot(s, ink) {
  const from = s.flight, samples = s.samples, c = s.doc.samples;
  const events = [...from.map((f) => [f.t, f.bytes, null, null]), ...samples.map((k) => [c.at[k], null, c.flight[k], c.sndwnd[k]])].sort((a, b) => a[0] - b[0]);
  return {
    title: "Bytes in flight", height: 180, data: columns(events, 4), range: zeroUp, values: bytesLabels, incrs: wholeNumbers, none: "Nothing was sent.",
    key: key([["there", "━", "sent and not acknowledged (packets)"], ["warn", "━", "flight (the sender's count)"], ["other", "━", "the peer's window (click its name below)"]]),
    series: [step(ink.there, "not acknowledged"), step(ink.warn, "flight"), step(ink.other, "peer's window", { show: false })],
  };
}

function windowPlot(s, ink) {
  const c = s.doc.samples, unset = (v) => (v <= 0 || v >= 1 << 30 ? null : v); // none yet
  return {
    title: "Congestion window", height: 180, data: columns(s.samples.map((k) => [c.at[k], unset(c.cwnd[k]), unset(c.ssthresh[k])]), 3), range: zeroUp,
    values: bytesLabels, incrs: wholeNumbers, none: "There are no samples of this end's state.",
    key: key([["there", "━", "cwnd"], ["bad", "┅", "ssthresh"]]),
    series: [step(ink.there, "cwnd"), step(ink.bad, "ssthresh", { dash: [5, 4] })],
  };
}

function roundTripPlot(s, ink) {
  const c = s.doc.samples, zero = (v) => (v > 0 ? v / 1e6 : null);
  const events = [...s.rtts.map((r) => [r.t, r.rtt / 1e6, null, null]), ...s.samples.map((k) => [c.at[k], null, zero(c.srtt[k]), zero(c.rto[k])])].sort((a, b) => a[0] - b[0]);
  const value = (u, v) => (v === null || v === undefined ? "—" : duration(v * 1e6));
  return {
    title: "Round trip", height: 180, data: columns(events, 4), range: zeroUp, none: "Nothing was measured.",
    values: (u, v) => v.map((x) => duration(x * 1e6, (v[1] - v[0]) * 1e6)),
    key: key([["there", "●", "measured (packets)"], ["back", "━", "SRTT"], ["bad", "┅", "RTO (click its name below to see the others larger)"]]),
    series: [{ label: "RTT", stroke: ink.there, fill: ink.there, width: 0, paths: () => null, points: { show: true, size: 4, fill: ink.there }, value },
      step(ink.back, "SRTT", { value }), step(ink.bad, "RTO", { value, dash: [5, 4] })],
  };
}

function columns(rows, n) {
  const out = Array.from({ length: n }, () => new Array(rows.length));
  rows.forEach((r, i) => r.forEach((v, k) => (out[k][i] = k === 0 ? v / 1e9 : v)));
  return out;
}
