"use strict";
// The list of events: notes, what links did to packets, and changes of the
// states of TCP connections, in order of time.

function allEvents(doc) {
  const out = [], p = doc.packets, s = doc.samples, states = new Map();
  doc.notes.forEach((n) => out.push({ t: n.at, where: nodeName(doc, n.node), kind: n.kind, text: n.text, packet: -1 }));
  for (let i = 0; i < p.n; i++) {
    if (!(p.marks[i] & IMPAIRED)) continue;
    const l = doc.links[p.link[i]];
    out.push({ t: p.sent[i], where: l.name || `${nodeName(doc, l.a)}–${nodeName(doc, l.b)}`, kind: p.marks[i] & MARK.dropped ? "loss" : "impaired",
      text: `${badges(p, i).join(", ")}: ${nodeName(doc, p.from[i])} → ${nodeName(doc, p.to[i])}  ${p.label[i]}`, packet: i });
  }
  for (let k = 0; k < s.n; k++) {
    const end = s.flow[k] * 2 + s.back[k], was = states.get(end);
    if (was === s.state[k]) continue;
    states.set(end, s.state[k]);
    const text = (was === undefined ? "" : s.states[was] + " → ") + s.states[s.state[k]];
    out.push({ t: s.at[k], where: nodeName(doc, s.node[k]), kind: "state", text: `${text}  ${doc.flows[s.flow[k]].name}`, packet: -1 });
  }
  return out.sort((a, b) => a.t - b.t);
}

class Events {
  constructor(doc, ladder, go) {
    this.all = allEvents(doc);
    this.shown = this.all;
    this.kinds = new Set(this.all.map((e) => e.kind));
    this.off = new Set();
    this.list = new VirtualList("Events", 24, (i) => this.row(this.shown[i]), (i) => (this.chosen = this.shown[i]));
    this.info = el("span", { class: "dim" });
    const open = () => {
      const e = this.chosen;
      if (!e) return;
      go("ladder");
      if (e.packet >= 0) ladder.reveal(e.packet);
      else ladder.revealTime(e.t);
    };
    this.list.root.addEventListener("dblclick", open);
    this.list.root.addEventListener("keydown", (e) => e.key === "Enter" && open());
    const search = el("input", { type: "search", placeholder: "Filter: words, -not", "aria-label": "Filter events by text", oninput: (e) => this.filter(e.target.value) });
    const boxes = [...this.kinds].map((k) => el("label", {}, el("input", { type: "checkbox", checked: true, onchange: (e) => {
      if (e.target.checked) this.off.delete(k);
      else this.off.add(k);
      this.filter(search.value);
    } }), k));
    this.empty = el("p", { class: "empty", hidden: true });
    this.root = el("div", { class: "column" }, el("div", { class: "toolbar" }, search, boxes, this.info,
      el("button", { type: "button", onclick: open }, "Show in the ladder"), el("span", { class: "hint" }, "double-click or Enter: show in the ladder")), this.empty, this.list.root);
    this.filter("");
  }

  filter(text) {
    const matches = matcher(text);
    this.shown = this.all.filter((e) => {
      if (this.off.has(e.kind)) return false;
      return matches(`${e.where} ${e.kind} ${e.text}`.toLowerCase());
    });
    this.chosen = undefined;
    this.info.textContent = `${count(this.shown.length)} of ${count(this.all.length)} events`;
    this.empty.hidden = this.shown.length > 0;
    this.empty.textContent = this.all.length ? "No event matches the filter." : "Nothing went wrong, and nobody remarked on anything.";
    this.list.set(this.shown.length);
  }

  row(e) {
    return el("div", { class: "event" }, el("span", { class: "mono dim" }, clock(e.t)), el("span", {}, e.where),
      el("span", { class: e.kind === "loss" ? "badge bad" : "badge" }, e.kind), el("span", { class: "mono text", title: e.text }, e.text));
  }
}
