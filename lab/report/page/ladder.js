"use strict";
// The ladder: its view of the time scale, and what the mouse and the keys do.
// arrows.js draws it.

const ROW = 18; // a row of the compressed ladder at its first zoom, in pixels

class Ladder {
  constructor(doc, filter, onSelect) {
    Object.assign(this, { doc, filter, onSelect, compressed: true, selected: -1, left: 0, drawn: {} });
    this.guess = this.guesses();
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.map = el("canvas", { class: "minimap", "aria-hidden": "true", title: "The whole ladder: press to go there" });
    this.empty = el("p", { class: "empty", hidden: true });
    this.box = el("div", { class: "ladder", tabindex: 0, role: "application", "aria-label":
      "Ladder of packets. Arrow keys go from packet to packet, plus and minus zoom, 0 shows all." }, this.canvas, this.empty);
    this.info = el("span", { class: "dim", id: "ladder-info" });
    this.root = el("div", { class: "ladder-all" }, this.toolbar(), el("div", { class: "ladder-row" }, this.box, this.map));
    this.box.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    this.box.addEventListener("pointerdown", (e) => this.press(e));
    this.box.addEventListener("keydown", (e) => this.key(e));
    this.map.addEventListener("pointerdown", (e) => this.pressMap(e));
    new ResizeObserver(() => this.resized()).observe(this.box);
    filter.listeners.push(() => this.refilter());
    this.build();
  }

  toolbar() {
    const f = this.filter, button = (text, title, act) => el("button", { type: "button", title, "aria-label": title, onclick: act }, text);
    this.search = el("input", { type: "search", id: "search", placeholder: "Filter: words, -not", "aria-label": "Filter packets by text",
      oninput: (e) => this.searchFor(e.target.value) });
    const scale = (value, text, title) => el("label", { title }, el("input", { type: "radio", name: "scale", value, checked: value === "compressed",
      onchange: () => this.setScale(value === "compressed") }), text);
    return el("div", { class: "toolbar" }, this.search,
      el("label", { title: "Lost, resent, or changed on their way" },
        el("input", { type: "checkbox", id: "impaired", onchange: (e) => f.change({ impaired: e.target.checked }) }), "Impaired"),
      el("label", { title: "ARP, neighbor discovery, MLD, IGMP" },
        el("input", { type: "checkbox", id: "chatter", checked: true, onchange: (e) => f.change({ chatter: e.target.checked }) }), "ARP, ND, MLD"),
      el("fieldset", {}, el("legend", { class: "unseen" }, "Scale of time"),
        scale("compressed", "Compressed", "A row for each packet; idle time is cut"), scale("true", "True scale", "A second is as long everywhere")),
      el("span", { class: "group" }, button("−", "Zoom out (−)", () => this.zoomBy(1 / 1.6)), button("+", "Zoom in (+)", () => this.zoomBy(1.6)),
        button("Fit", "Show all (0)", () => this.fit())),
      this.info, el("span", { class: "hint" }, "click or ↓: a packet · wheel: scroll · Ctrl+wheel: zoom · drag: move · Shift+drag: zoom to range"));
  }

  // searchFor waits for the typing to end where there is much to search.
  searchFor(text) {
    clearTimeout(this.typing);
    if (this.doc.packets.n < 20000) return this.filter.change({ text });
    this.typing = setTimeout(() => this.filter.change({ text }), 200);
  }

  // guesses says when a lost packet would have arrived: after as long as the
  // packet before it on its link and direction took.
  guesses() {
    const p = this.doc.packets, last = new Map(), took = new Float64Array(p.n);
    for (let pass = 0; pass < 2; pass++) { // the second for those that were lost first
      for (let i = pass ? p.n - 1 : 0; pass ? i >= 0 : i < p.n; i += pass ? -1 : 1) {
        const lane = p.link[i] * 2 + (p.marks[i] & MARK.fromA);
        if (!isNaN(p.arrived[i])) last.set(lane, p.arrived[i] - p.sent[i]);
        else if (pass === 0 || !took[i]) took[i] = last.get(lane) ?? 0;
      }
    }
    return (i) => p.sent[i] + took[i];
  }

  // build computes the scale and the columns for what is shown.
  build() {
    const shown = this.filter.shown, p = this.doc.packets, used = new Set();
    for (const i of shown) used.add(p.from[i]).add(p.to[i]);
    this.columns = [...used].sort((a, b) => a - b);
    this.scale = new TimeScale(this.doc, shown, this.compressed, this.guess);
    this.info.textContent = `${count(shown.length)} of ${count(p.n)} packets`;
    this.empty.hidden = shown.length > 0;
    this.empty.textContent = p.n === 0 ? "No packet was sent." : "No packet matches the filter.";
  }

  // refilter keeps the selected packet in its place, or else the time.
  refilter() {
    const anchor = this.selectedRow() >= 0 ? this.scale.sent[this.selectedRow()] : this.top + this.view() / 2;
    const offset = anchor - this.top, time = this.scale.time(anchor), before = this.scale.height;
    this.build();
    if (before * this.zoom <= this.height + 1 || this.scale.height * this.zoom < this.height) return this.home();
    const row = this.selectedRow();
    this.top = (row >= 0 ? this.scale.sent[row] : this.scale.place(time)) - offset;
    this.redraw();
  }

  setScale(compressed) {
    const row = this.selectedRow(), time = this.scale.time(this.top);
    this.compressed = compressed;
    for (const r of this.root.querySelectorAll("input[name=scale]")) r.checked = (r.value === "compressed") === compressed;
    this.build();
    this.home();
    if (row >= 0) this.show(row);
    else if (compressed) this.moveTo(this.scale.place(time));
  }

  // home is the first view of a scale: all of it, or its beginning with rows
  // that can be read.
  home() {
    this.fit();
    if (this.compressed) this.zoom = Math.max(this.zoom, ROW);
    if (this.compressed) this.zoom = Math.min(this.zoom, 1.5 * ROW);
    this.redraw();
  }

  resized() {
    const first = !this.width;
    this.width = this.box.clientWidth;
    this.height = Math.max(0, this.box.clientHeight - HEAD);
    if (!this.width) return;
    for (const [c, w, h] of [[this.canvas, this.width, this.height + HEAD], [this.map, this.map.clientWidth, this.height + HEAD]]) {
      c.width = Math.round(w * devicePixelRatio);
      c.height = Math.round(h * devicePixelRatio);
      c.style.height = h + "px";
    }
    this.canvas.style.width = this.width + "px";
    if (first || this.zoom === undefined) this.home();
    else this.draw();
  }

  view() { return this.height / this.zoom; } // how many units are in view

  fit() {
    this.top = 0;
    this.zoom = this.height / (this.scale.height * 1.02) || 1;
    this.redraw();
  }

  zoomBy(factor, at = this.height / 2) {
    const y = this.top + at / this.zoom;
    const least = Math.min(this.height / (this.scale.height * 1.02), ROW), most = this.compressed ? 200 : 1;
    this.zoom = Math.min(most, Math.max(least, this.zoom * factor));
    this.moveTo(y - at / this.zoom);
  }

  moveTo(top) {
    this.top = Math.max(0, Math.min(top, this.scale.height * 1.02 - this.view()));
    this.redraw();
  }

  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.asked = false;
    if (!this.width || !this.height) return;
    const most = Math.max(0, this.scale.height * 1.02 - this.view());
    this.top = Math.max(0, Math.min(this.top, most));
    this.drawn = new Drawing(this).all();
    this.drawn.zoom = this.zoom;
    drawMap(this);
  }

  wheel(e) {
    e.preventDefault();
    const pixels = e.deltaMode === 1 ? 33 : e.deltaMode === 2 ? this.height : 1;
    if (e.ctrlKey || e.metaKey) return this.zoomBy(Math.exp(-e.deltaY * pixels * 0.003), e.offsetY - HEAD);
    if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) return this.moveLeft(this.left + (e.deltaX || e.deltaY) * pixels);
    this.moveTo(this.top + (e.deltaY * pixels) / this.zoom);
  }

  moveLeft(left) {
    this.left = Math.max(0, left);
    this.redraw();
  }

  // press is the beginning of a click, of a move, or of a choice of a range.
  press(e) {
    if (e.button !== 0) return;
    const from = { x: e.offsetX, y: e.offsetY, top: this.top, left: this.left };
    let moved = false;
    this.box.setPointerCapture(e.pointerId);
    const move = (m) => {
      moved ||= Math.hypot(m.offsetX - from.x, m.offsetY - from.y) > 4;
      if (!moved) return;
      if (e.shiftKey) {
        this.range = [from.y, m.offsetY].sort((a, b) => a - b);
        return this.redraw();
      }
      this.left = Math.max(0, from.left + from.x - m.offsetX);
      this.moveTo(from.top + (from.y - m.offsetY) / this.zoom);
    };
    const end = () => {
      this.box.removeEventListener("pointermove", move);
      const range = this.range;
      this.range = null;
      if (!moved) this.select(this.at(from.x, from.y));
      else if (range) {
        const y = this.top + (range[0] - HEAD) / this.zoom;
        this.zoomBy(this.height / Math.max(8, range[1] - range[0]));
        this.moveTo(y);
      }
    };
    this.box.addEventListener("pointermove", move);
    this.box.addEventListener("pointerup", end, { once: true });
  }

  pressMap(e) {
    const go = (m) => this.moveTo((this.scale.height * Math.max(0, m.offsetY - HEAD)) / this.height - this.view() / 2);
    this.map.setPointerCapture(e.pointerId);
    go(e);
    this.map.addEventListener("pointermove", go);
    this.map.addEventListener("pointerup", () => this.map.removeEventListener("pointermove", go), { once: true });
  }

  key(e) {
    const n = this.filter.shown.length, row = this.selectedRow();
    const act = {
      ArrowDown: () => this.selectRow(row < 0 ? this.firstInView() : Math.min(n - 1, row + 1)),
      ArrowUp: () => this.selectRow(row < 0 ? this.firstInView() : Math.max(0, row - 1)),
      ArrowLeft: () => this.moveLeft(this.left - 60), ArrowRight: () => this.moveLeft(this.left + 60),
      PageDown: () => this.moveTo(this.top + 0.9 * this.view()), PageUp: () => this.moveTo(this.top - 0.9 * this.view()),
      Home: () => this.moveTo(0), End: () => this.moveTo(Infinity),
      "+": () => this.zoomBy(1.6), "=": () => this.zoomBy(1.6), "-": () => this.zoomBy(1 / 1.6), 0: () => this.fit(),
      Escape: () => this.select(-1),
    }[e.key];
    if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act();
  }

  firstInView() { return lower(this.scale.sent, this.top); }

  // selectedRow is where the selected packet is among those shown, or -1.
  selectedRow() {
    const k = lower(this.filter.shown, this.selected);
    return this.selected >= 0 && this.filter.shown[k] === this.selected ? k : -1;
  }

  selectRow(k) {
    if (k < 0 || k >= this.filter.shown.length) return;
    this.select(this.filter.shown[k]);
    this.show(k);
  }

  select(i) {
    this.selected = i;
    this.redraw();
    this.onSelect(i);
  }

  // show moves so that a row is in view.
  show(k) {
    const y = this.scale.sent[k], end = this.scale.end[k];
    if (y < this.top + 20 / this.zoom || end > this.top + this.view()) this.moveTo(y - this.view() / 3);
    else this.redraw();
  }

  // reveal goes to a packet from another view; a filter that hides it is lifted.
  reveal(i) {
    if (lower(this.filter.shown, i) >= this.filter.shown.length || this.filter.shown[lower(this.filter.shown, i)] !== i) {
      this.search.value = "";
      this.root.querySelector("#impaired").checked = false;
      this.root.querySelector("#chatter").checked = true;
      this.filter.change({ flow: -1, text: "", impaired: false, chatter: true });
    }
    this.selectRow(lower(this.filter.shown, i));
  }

  revealTime(t) { this.moveTo(this.scale.place(t) - this.view() / 3); }

  // at is the packet whose arrow is nearest to a point, or -1.
  at(x, y) {
    let best = -1, least = 8;
    for (const a of this.drawn.arrows || []) {
      const dx = a.x1 - a.x0, dy = a.y1 - a.y0, square = dx * dx + dy * dy || 1;
      const along = Math.max(0, Math.min(1, ((x - a.x0) * dx + (y - a.y0) * dy) / square));
      const d = Math.hypot(x - a.x0 - along * dx, y - a.y0 - along * dy);
      if (d < least) [best, least] = [a.i, d];
    }
    return best;
  }
}
