"use strict";
// What one packet is: its fate, its headers field by field, and its bytes.

class Detail {
  constructor(doc, go, close) {
    this.doc = doc;
    this.close = close;
    this.go = go; // to another packet
    this.root = el("aside", { class: "detail", "aria-label": "The chosen packet", tabindex: 0 });
    this.show(-1);
  }

  show(i) {
    const d = this.doc, p = d.packets;
    this.root.hidden = i < 0;
    this.root.parentElement?.classList.toggle("three", i >= 0);
    if (i < 0) return;
    const from = d.nodes[p.from[i]].name, to = d.nodes[p.to[i]].name, marks = badges(p, i);
    say(`${clock(p.sent[i])}, ${from} to ${to}: ${p.label[i]} ${marks.join(", ")}`);
    const took = isNaN(p.arrived[i]) ? "did not arrive" : `${clock(p.arrived[i])}, after ${duration(p.arrived[i] - p.sent[i])}`;
    this.root.replaceChildren(
      el("h2", {}, `Packet ${count(i + 1)}`, el("button", { type: "button", class: "close", title: "Close (Esc)", "aria-label": "Close", onclick: this.close }, "✕")),
      el("p", { class: "mono" }, p.label[i]),
      el("p", {}, ...marks.map((m) => el("span", { class: m.startsWith("✗") ? "badge bad" : "badge" }, m))),
      this.table("Frame", ["Link", d.links[p.link[i]].name, "From, to", `${from} → ${to}`, "Sent", clock(p.sent[i]), "Arrived", took,
        "Length", `${p.len[i]} bytes`, "Flow", d.flows[p.flow[i]].name]),
      this.neighbours(i),
      ...(p.fields[i] ? p.fields[i].split("\n") : []).map((line) => {
        const [name, ...pairs] = line.split("\t");
        return this.table(name, pairs);
      }),
      el("h3", {}, "Bytes"), el("pre", { class: "hex", tabindex: 0 }, this.hex(i)));
  }

  table(name, pairs) {
    const rows = [];
    for (let k = 0; k + 1 < pairs.length; k += 2) rows.push(el("tr", {}, el("th", { scope: "row" }, pairs[k]), el("td", {}, pairs[k + 1])));
    return el("table", {}, el("caption", {}, name), el("tbody", {}, rows));
  }

  // neighbours lead to the packets of the flow before and after.
  neighbours(i) {
    const p = this.doc.packets, f = p.flow[i];
    const step = (by) => {
      for (let k = i + by; k >= 0 && k < p.n; k += by) if (p.flow[k] === f) return k;
      return -1;
    };
    const button = (k, text) => el("button", { type: "button", disabled: k < 0, onclick: () => this.go(k) }, text);
    return el("p", { class: "group" }, button(step(-1), "◀ of this flow"), button(step(1), "of this flow ▶"));
  }

  hex(i) {
    const p = this.doc.packets, b = p.bytes.subarray(p.offset[i], p.offset[i + 1]), lines = [];
    for (let at = 0; at < b.length; at += 16) {
      const row = [...b.subarray(at, at + 16)];
      const codes = row.map((x, k) => x.toString(16).padStart(2, "0") + (k === 7 ? " " : "")).join(" ");
      lines.push(at.toString(16).padStart(4, "0") + "  " + codes.padEnd(49) + " " + row.map((x) => (x > 31 && x < 127 ? String.fromCharCode(x) : "·")).join(""));
    }
    if (b.length < p.len[i]) lines.push(`… ${count(p.len[i] - b.length)} more bytes are not in this page`);
    return lines.join("\n");
  }
}
