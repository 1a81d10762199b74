"use strict";
// Which packets are shown: of one flow or of all, with all words of a text in
// them (and none with a minus before it), impaired ones only. The ladder and the
// events share one filter.

// matcher tells of a text in lower case whether it has all words, and none of
// those with a minus. A word of letters is found where a word begins, so that ack
// is not in sack; any other (10.0.0, :80) anywhere.
function matcher(wanted) {
  const terms = wanted.toLowerCase().split(/\s+/).filter(Boolean).map((w) => {
    const not = w.length > 1 && w[0] === "-", word = not ? w.slice(1) : w;
    const start = new RegExp("\\b" + word.replace(/[^a-z0-9]/g, "\\$&"));
    return { not, has: /^[a-z]/.test(word) ? (text) => start.test(text) : (text) => text.includes(word) };
  });
  return (text) => terms.every((t) => t.has(text) !== t.not);
}

// What the network says to itself.
const CHATTER = new Set(["ARP", "ND", "MLD", "IGMP"]);

class Filter {
  constructor(doc) {
    this.doc = doc;
    this.flow = -1; // all
    this.text = "";
    this.impaired = false;
    this.chatter = true;
    this.listeners = [];
    this.apply();
  }

  // change sets some of the filter, and tells those who listen.
  change(what) {
    Object.assign(this, what);
    this.apply();
    for (const f of this.listeners) f();
  }

  apply() {
    const p = this.doc.packets, matches = this.text.trim() ? matcher(this.text) : null;
    const out = new Int32Array(p.n);
    let n = 0;
    for (let i = 0; i < p.n; i++) {
      if (this.flow >= 0 && p.flow[i] !== this.flow) continue;
      if (!this.chatter && CHATTER.has(this.doc.flows[p.flow[i]].protocol)) continue;
      if (this.impaired && !(p.marks[i] & (IMPAIRED | MARK.resent))) continue;
      if (matches && !matches(this.textOf(i))) continue;
      out[n++] = i;
    }
    this.shown = out.subarray(0, n);
  }

  // textOf is all that is said of a packet, made when first asked for.
  textOf(i) {
    this.texts ||= new Array(this.doc.packets.n);
    const d = this.doc, p = d.packets;
    return (this.texts[i] ??= [d.nodes[p.from[i]].name, d.nodes[p.to[i]].name, d.links[p.link[i]].name, d.flows[p.flow[i]].name,
      p.label[i], badges(p, i).join(" "), p.fields[i]].join(" ").toLowerCase());
  }
}

// filterPanel is the list of flows with their counts, and the other filters.
function filterPanel(doc, filter) {
  const list = new VirtualList("Flows", 44, (i) => (i === 0 ? allRow(doc) : flowRow(doc.flows[i - 1])),
    (i) => filter.change({ flow: i - 1 }));
  list.set(doc.flows.length + 1, 0);
  filter.listeners.push(() => {
    if (list.chosen !== filter.flow + 1) list.set(doc.flows.length + 1, filter.flow + 1);
  });
  return el("aside", { class: "side" }, el("h2", {}, "Flows"), list.root);
}

function allRow(doc) {
  return [el("div", { class: "name" }, "All flows"), el("div", { class: "dim" }, `${count(doc.packets.n)} packets on all links`)];
}

function flowRow(f) {
  const sum = (a) => a[0] + a[1], parts = [plural(sum(f.packets), "pkt"), size(sum(f.bytes))];
  const bad = [];
  if (sum(f.lost)) bad.push(el("span", { class: "bad" }, `${count(sum(f.lost))} lost`));
  if (sum(f.resent)) bad.push(el("span", { class: "warn" }, `${count(sum(f.resent))} resent`));
  return [el("div", { class: "name", title: f.name }, f.name),
    el("div", { class: "dim" }, parts.join(" · "), ...bad.flatMap((b) => [" · ", b]))];
}
