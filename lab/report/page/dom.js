"use strict";
// Elements, and lists that draw only what is in view. All text is set as text.

function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill(e, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) e.setAttribute(name, value);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return e;
}

// say tells readers who do not see the page.
function say(text) {
  document.getElementById("say").textContent = text;
}

// colour is one of the style sheet's for what is drawn on a canvas.
function colours(names) {
  const style = getComputedStyle(document.documentElement), out = {};
  for (const n of names) out[n] = style.getPropertyValue("--" + n).trim();
  return out;
}

// VirtualList shows n rows of one height, and makes elements for those in view.
// It is a listbox: one row is chosen, by a click or the arrow keys.
class VirtualList {
  constructor(label, rowHeight, drawRow, onChoose) {
    this.rowHeight = rowHeight;
    this.drawRow = drawRow;
    this.onChoose = onChoose;
    this.n = 0;
    this.chosen = -1;
    this.inner = el("div", { class: "rows" });
    this.root = el("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": label,
      onscroll: () => this.draw(), onkeydown: (e) => this.key(e), onclick: (e) => this.click(e) }, this.inner);
    new ResizeObserver(() => this.draw()).observe(this.root);
  }

  set(n, chosen = -1) {
    this.n = n;
    this.chosen = chosen;
    this.inner.style.height = n * this.rowHeight + "px";
    this.draw();
  }

  draw() {
    const top = Math.max(0, Math.floor(this.root.scrollTop / this.rowHeight) - 2);
    const end = Math.min(this.n, top + Math.ceil(this.root.clientHeight / this.rowHeight) + 4);
    const rows = [];
    for (let i = top; i < end; i++) {
      const row = el("div", { class: "row", role: "option", id: this.id(i), "data-i": i, "aria-selected": i === this.chosen ? "true" : "false",
        "aria-setsize": this.n, "aria-posinset": i + 1 }, this.drawRow(i));
      row.style.top = i * this.rowHeight + "px";
      row.style.height = this.rowHeight + "px";
      rows.push(row);
    }
    this.inner.replaceChildren(...rows);
    if (this.chosen >= 0) this.root.setAttribute("aria-activedescendant", this.id(this.chosen));
    else this.root.removeAttribute("aria-activedescendant");
  }

  id(i) {
    this.prefix ||= "row" + VirtualList.made++ + "-";
    return this.prefix + i;
  }

  choose(i) {
    if (i < 0 || i >= this.n) return;
    this.chosen = i;
    const y = i * this.rowHeight, r = this.root;
    if (y < r.scrollTop) r.scrollTop = y;
    if (y + this.rowHeight > r.scrollTop + r.clientHeight) r.scrollTop = y + this.rowHeight - r.clientHeight;
    this.draw();
    this.onChoose(i);
  }

  click(e) {
    const row = e.target.closest("[data-i]");
    if (row) this.choose(Number(row.dataset.i));
  }

  key(e) {
    const page = Math.max(1, Math.floor(this.root.clientHeight / this.rowHeight) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.n, End: this.n }[e.key];
    if (step === undefined || this.n === 0) return;
    e.preventDefault();
    this.choose(Math.max(0, Math.min(this.n - 1, this.chosen + step)));
  }
}
VirtualList.made = 0;
