"use strict";
// How the ladder is drawn, on its canvas: only what is in view, and of arrows
// that fall on the same pixels only one. Where there are more arrows than pixels
// they are a haze without labels, with what went wrong before it.

const HEAD = 34; // the room for the nodes' names
const GUTTER = 116; // for times
const FONT = '11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const INKS = ["paper", "ink", "dim", "line", "there", "back", "other", "bad", "warn", "mark", "accent", "panel"];

let inks = null; // of the theme
function themeChanged() { inks = null; }

class Drawing {
  constructor(ladder) {
    Object.assign(this, { l: ladder, doc: ladder.doc, p: ladder.doc.packets, ctx: ladder.canvas.getContext("2d") });
    inks ||= colours(INKS);
    this.arrows = [];
    this.labels = 0;
    this.crosses = 0;
    this.ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.ctx.font = FONT;
    this.em = this.ctx.measureText("0").width;
  }

  all() {
    const { ctx, l } = this, right = l.width, bottom = l.height + HEAD;
    ctx.fillStyle = inks.paper;
    ctx.fillRect(0, 0, right, bottom);
    this.layout();
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, HEAD, right, l.height);
    ctx.clip();
    this.lives();
    this.breaks();
    this.times();
    this.packets();
    this.notes();
    this.rangeChosen();
    ctx.restore();
    this.heads();
    return { arrows: this.arrows, labels: this.labels, crosses: this.crosses, columns: l.columns.length };
  }

  // layout gives each column its x. More than fit are reached by moving.
  layout() {
    const { l } = this, n = l.columns.length, room = l.width - GUTTER - 60;
    const step = n > 1 ? Math.max(100, room / (n - 1)) : 0;
    l.left = Math.min(l.left, Math.max(0, step * (n - 1) - room));
    this.x = new Map(l.columns.map((node, k) => [node, n === 1 ? GUTTER + room / 2 : GUTTER + 20 + k * step - l.left]));
    this.step = step;
  }

  y(unit) { return HEAD + (unit - this.l.top) * this.l.zoom; }

  lives() {
    const { ctx } = this;
    ctx.strokeStyle = inks.line;
    ctx.lineWidth = 1.5;
    for (const x of this.x.values()) this.line(x, HEAD, x, Math.min(this.l.height + HEAD, this.y(this.l.scale.height)));
  }

  heads() {
    const { ctx } = this;
    ctx.fillStyle = inks.panel;
    ctx.fillRect(0, 0, this.l.width, HEAD);
    ctx.strokeStyle = inks.line;
    ctx.lineWidth = 1;
    this.line(0, HEAD - 0.5, this.l.width, HEAD - 0.5);
    ctx.textAlign = "center";
    for (const [node, x] of this.x) {
      const n = this.doc.nodes[node], room = Math.max(60, this.step - 10);
      ctx.font = "600 12px system-ui, sans-serif";
      ctx.fillStyle = inks.ink;
      ctx.fillText(this.cut(n.name, room / 7), x, 15);
      ctx.font = FONT;
      ctx.fillStyle = inks.dim;
      ctx.fillText(this.cut(n.kind === "host" ? (n.addrs || [])[0] || "" : n.kind, room / this.em), x, 28);
    }
    ctx.textAlign = "left";
    ctx.fillText("time", 8, 22);
  }

  cut(text, chars) {
    return text.length <= chars ? text : text.slice(0, Math.max(1, Math.floor(chars) - 1)) + "…";
  }

  line(x0, y0, x1, y1) {
    this.ctx.beginPath();
    this.ctx.moveTo(x0, y0);
    this.ctx.lineTo(x1, y1);
    this.ctx.stroke();
  }

  // breaks are the places where idle time is cut: two waves across.
  breaks() {
    const { ctx, l } = this;
    for (const b of l.scale.breaks) {
      const y0 = this.y(b.from), y1 = this.y(b.to);
      if (y1 < HEAD || y0 > HEAD + l.height || y1 - y0 < 6) continue;
      ctx.fillStyle = inks.panel;
      ctx.fillRect(0, y0, l.width, y1 - y0);
      ctx.strokeStyle = inks.line;
      ctx.lineWidth = 1;
      for (const y of [y0, y1]) {
        ctx.beginPath();
        for (let x = 0, k = 0; x <= l.width; x += 8, k++) ctx.lineTo(x, y + (k % 2 ? 2 : -2));
        ctx.stroke();
      }
      ctx.fillStyle = inks.dim;
      ctx.textAlign = "center";
      if (y1 - y0 >= 11) ctx.fillText(`idle for ${duration(b.length)}`, (l.width + GUTTER) / 2, (y0 + y1) / 2 + 4);
      ctx.textAlign = "left";
    }
  }

  times() {
    if (this.l.compressed) this.rowTimes();
    else this.ticks();
  }

  // ticks are at round times.
  ticks() {
    const { ctx, l } = this, least = 60 / l.zoom;
    const power = 10 ** Math.floor(Math.log10(least)), step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= least) || least;
    ctx.strokeStyle = inks.line;
    ctx.fillStyle = inks.dim;
    ctx.lineWidth = 0.5;
    const first = Math.ceil(l.top / step);
    for (let k = first; k * step <= l.top + l.view(); k++) {
      const y = this.y(k * step);
      this.line(GUTTER - 14, y, l.width, y);
      ctx.fillText(duration(k * step, step), 8, y + 4);
    }
  }

  // rowTimes are those of the packets that have room for one.
  rowTimes() {
    const { ctx, l } = this, s = l.scale;
    let last = -Infinity;
    ctx.fillStyle = inks.dim;
    for (let k = lower(s.sent, l.top); k < s.sent.length && s.sent[k] <= l.top + l.view(); k++) {
      const y = this.y(s.sent[k]);
      if (y - last < 14) continue;
      last = y;
      ctx.fillText(clock(this.p.sent[l.filter.shown[k]]), 8, y + 4);
    }
  }

  packets() {
    const { l, p } = this, s = l.scale, shown = l.filter.shown;
    const end = lower(s.sent, l.top + l.view() + 1 / l.zoom), seen = new Map();
    this.labelled = new Map();
    const first = lower(s.sent, l.top - s.longest), last = [];
    this.dense = end - first > 1.5 * l.height;
    for (let k = first; k < end; k++) {
      if (Math.max(s.end[k], s.sent[k]) < l.top) continue;
      const i = shown[k], m = p.marks[i];
      const a = { i, x0: this.x.get(p.from[i]), y0: this.y(s.sent[k]), x1: this.x.get(p.to[i]), y1: this.y(s.end[k]), m };
      if (isNaN(a.x0) || isNaN(a.x1)) continue;
      if (m & (MARK.dropped | MARK.waiting)) { // it goes a part of its way
        a.x1 = a.x0 + (a.x1 - a.x0) * 0.55;
        a.y1 = a.y0 + (a.y1 - a.y0) * 0.55;
      }
      const lane = p.link[i] * 2 + (m & MARK.fromA), pixels = Math.round(a.y0) * 65536 + Math.round(a.y1);
      this.arrows.push(a);
      if (i === l.selected || (this.dense && m & IMPAIRED)) last.push(a);
      else if (seen.get(lane) === pixels && !(m & IMPAIRED)) continue;
      else {
        seen.set(lane, pixels);
        this.arrow(a);
      }
    }
    for (const a of last) this.arrow(a, a.i === l.selected);
  }

  ink(a) {
    if (a.m & MARK.dropped) return inks.bad;
    if (a.m & MARK.resent) return inks.warn;
    const f = this.doc.flows[this.p.flow[a.i]];
    if (f.protocol !== "TCP" && f.protocol !== "UDP") return inks.other;
    return a.m & MARK.back ? inks.back : inks.there;
  }

  arrow(a, selected = false) {
    const { ctx } = this;
    ctx.strokeStyle = ctx.fillStyle = this.ink(a);
    ctx.lineWidth = selected ? 3 : 1.2;
    if (this.dense && !selected && !(a.m & IMPAIRED)) {
      ctx.globalAlpha = 0.12;
      this.line(a.x0, a.y0, a.x1, a.y1);
      ctx.globalAlpha = 1;
      return;
    }
    if (a.m & MARK.resent) ctx.setLineDash([7, 3]);
    else if (a.m & MARK.overtaken) ctx.setLineDash([10, 3, 2, 3]);
    else if (a.m & MARK.waiting) ctx.setLineDash([2, 4]);
    this.line(a.x0, a.y0, a.x1, a.y1);
    if (a.m & MARK.duplicated) this.line(a.x0, a.y0 + 3, a.x1, a.y1 + 3);
    ctx.setLineDash([]);
    if (a.m & MARK.dropped) this.cross(a);
    else if (!(a.m & MARK.waiting)) this.tip(a);
    if (a.m & MARK.corrupted) this.bolt(a);
    if (!this.dense || selected) this.label(a, selected);
  }

  tip(a) {
    const { ctx } = this, angle = Math.atan2(a.y1 - a.y0, a.x1 - a.x0);
    ctx.beginPath();
    ctx.moveTo(a.x1, a.y1);
    for (const side of [-0.35, 0.35]) ctx.lineTo(a.x1 - 9 * Math.cos(angle + side), a.y1 - 9 * Math.sin(angle + side));
    ctx.fill();
  }

  cross(a) {
    this.crosses++;
    this.ctx.lineWidth = 2.2;
    this.line(a.x1 - 5, a.y1 - 5, a.x1 + 5, a.y1 + 5);
    this.line(a.x1 - 5, a.y1 + 5, a.x1 + 5, a.y1 - 5);
  }

  // bolt is a jag in the middle of a packet that was damaged.
  bolt(a) {
    const { ctx } = this, x = a.x0 + 0.8 * (a.x1 - a.x0), y = a.y0 + 0.8 * (a.y1 - a.y0);
    ctx.strokeStyle = inks.bad;
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (const [dx, dy] of [[2, -8], [-3, 0], [3, 0], [-2, 8]]) ctx.lineTo(x + dx, y + dy);
    ctx.stroke();
  }

  // label writes what a packet is along its arrow, near its sender, unless there
  // is no room below the one before. A steep arrow's is level.
  label(a, selected) {
    const { ctx, p } = this, lane = p.from[a.i] * 65536 + p.to[a.i], above = this.labelled.get(lane);
    if (above !== undefined && a.y0 - above < 12 && !selected) return;
    if (a.y0 < HEAD - 20 && !selected) return;
    const rightward = a.x1 >= a.x0, whole = Math.abs(this.x.get(p.to[a.i]) - a.x0);
    const angle = Math.atan2(a.y1 - a.y0, Math.abs(a.x1 - a.x0) || 1), steep = Math.abs(angle) > 0.22;
    const marks = badges(p, a.i), words = p.label[a.i];
    const most = Math.floor(((steep ? Math.max(whole, 260) : whole) - 24) / this.em), tail = marks.length ? "  [" + marks.join("] [") + "]" : "";
    const text = this.cut(this.cut(words, Math.max(most - tail.length, Math.min(12, most / 2))) + tail, most);
    this.labelled.set(lane, a.y0);
    this.labels++;
    ctx.save();
    ctx.translate(a.x0, a.y0);
    if (!steep) ctx.rotate(rightward ? angle : -angle);
    ctx.textAlign = rightward ? "left" : "right";
    const x = rightward ? 10 : -10, y = steep ? 4 : -3;
    if (steep) { // on a plate, for other arrows cross it
      const width = text.length * this.em + 4;
      ctx.globalAlpha = 0.75;
      ctx.fillStyle = inks.paper;
      ctx.fillRect(rightward ? x - 2 : x + 2 - width, -7, width, 14);
      ctx.globalAlpha = 1;
    }
    ctx.lineWidth = 3;
    ctx.lineJoin = "round";
    ctx.strokeStyle = inks.paper;
    ctx.fillStyle = a.m & MARK.dropped ? inks.bad : a.m & MARK.resent ? inks.warn : inks.ink;
    if (selected) ctx.font = "bold " + FONT;
    ctx.strokeText(text, x, y);
    ctx.fillText(text, x, y);
    ctx.restore();
  }

  notes() {
    const { ctx, l } = this;
    l.doc.notes.forEach((n, k) => {
      const y = this.y(l.scale.note[k]);
      if (y < HEAD - 10 || y > HEAD + l.height + 10) return;
      const x = this.x.get(n.node) ?? GUTTER, text = this.cut(`${n.kind}: ${n.text}`, (l.width - 40) / this.em);
      const width = (text.length + 2) * this.em, from = Math.max(GUTTER - 10, Math.min(x - width / 2, l.width - width - 4));
      ctx.strokeStyle = inks.mark;
      ctx.lineWidth = 1;
      ctx.setLineDash([3, 3]);
      if (n.node < 0) this.line(0, y, l.width, y);
      ctx.setLineDash([]);
      ctx.fillStyle = inks.panel;
      ctx.fillRect(from, y - 8, width, 16);
      ctx.strokeRect(from, y - 8, width, 16);
      ctx.fillStyle = inks.ink;
      ctx.fillText(text, from + this.em, y + 4);
    });
  }

  rangeChosen() {
    if (!this.l.range) return;
    const [a, b] = this.l.range;
    this.ctx.globalAlpha = 0.15;
    this.ctx.fillStyle = inks.accent;
    this.ctx.fillRect(0, a, this.l.width, b - a);
    this.ctx.globalAlpha = 1;
  }
}

// drawMap draws the whole ladder as a narrow strip: how many packets there are
// where, what was lost, and what is in view.
function drawMap(l) {
  const ctx = l.map.getContext("2d"), w = l.map.clientWidth, h = l.height, s = l.scale, p = l.doc.packets;
  ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  ctx.fillStyle = inks.panel;
  ctx.fillRect(0, 0, w, h + HEAD);
  const bins = new Float64Array(Math.ceil(h / 2) + 1), bad = new Uint8Array(bins.length);
  l.filter.shown.forEach((i, k) => {
    const b = Math.min(bins.length - 1, Math.floor(((s.sent[k] / s.height) * h) / 2));
    bins[b]++;
    if (p.marks[i] & MARK.dropped) bad[b] = 1;
  });
  const most = bins.reduce((a, b) => Math.max(a, b), 1);
  bins.forEach((n, b) => {
    if (!n) return;
    ctx.fillStyle = inks.dim;
    ctx.fillRect(0, HEAD + 2 * b, 2 + ((w - 10) * n) / most, 1.5);
    ctx.fillStyle = inks.bad;
    if (bad[b]) ctx.fillRect(w - 7, HEAD + 2 * b, 7, 2);
  });
  ctx.strokeStyle = inks.accent;
  ctx.lineWidth = 1.5;
  const y = HEAD + (l.top / s.height) * h, tall = Math.min(h, Math.max(6, (l.view() / s.height) * h));
  ctx.strokeRect(1, Math.min(y + 1, HEAD + h - tall), w - 2, tall - 2);
}
