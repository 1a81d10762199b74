"use strict";
// The overview: what failed, how to repeat it, and the nodes and links with
// their counters.

const MOST_DRAWN = 120; // nodes; more are a table only

function overview(doc, go) {
  const parts = [];
  if (doc.failed.length) {
    parts.push(el("section", { class: "failed" }, el("h2", {}, "✗ Failed"), doc.failed.map((f) => el("pre", {}, f))));
  }
  if (doc.repeat) parts.push(repeatBox(doc.repeat));
  parts.push(el("section", {}, el("h2", {}, "Topology"), topology(doc), linkTable(doc)));
  parts.push(el("section", {}, el("h2", {}, "Nodes"), nodeTable(doc)));
  if (doc.notes.length) {
    const shown = doc.notes.slice(0, 12);
    parts.push(el("section", {}, el("h2", {}, "Notes"), el("ol", { class: "notes" }, shown.map((n) => el("li", {}, `${clock(n.at)}  ${nodeName(doc, n.node)}  ${n.kind}: ${n.text}`))),
      doc.notes.length > shown.length ? el("button", { type: "button", onclick: () => go("events") }, `All ${count(doc.notes.length)} notes`) : null));
  }
  return el("div", { class: "overview" }, parts);
}

function nodeName(doc, i) {
  return i < 0 || i >= doc.nodes.length ? "network" : doc.nodes[i].name;
}

function repeatBox(command) {
  const copy = el("button", { type: "button", onclick: () => {
    // Clipboards are closed to pages from files in some browsers: then it is selected.
    getSelection().selectAllChildren(code);
    navigator.clipboard?.writeText(command).then(() => (copy.textContent = "Copied"), () => {});
  } }, "Copy");
  const code = el("code", {}, command);
  return el("section", { class: "repeat" }, el("h2", {}, "Repeat"), el("pre", {}, code), copy);
}

// layout places nodes so that distances on paper are those in links (stress
// majorization), and turns the picture so that it is wide.
function layout(doc) {
  const n = doc.nodes.length, far = distances(doc);
  let at = doc.nodes.map((_, i) => [Math.cos((2 * Math.PI * i) / n + 0.1), Math.sin((2 * Math.PI * i) / n)]);
  for (let round = 0; round < 150; round++) {
    at = at.map((a, i) => {
      let x = 0, y = 0, sum = 0;
      for (let j = 0; j < n; j++) {
        if (i === j) continue;
        const dx = a[0] - at[j][0], dy = a[1] - at[j][1], d = Math.hypot(dx, dy) || 1e-6, w = 1 / far[i][j] ** 2;
        x += w * (at[j][0] + (far[i][j] * dx) / d);
        y += w * (at[j][1] + (far[i][j] * dy) / d);
        sum += w;
      }
      return sum ? [x / sum, y / sum] : a;
    });
  }
  return turned(at);
}

function distances(doc) {
  const n = doc.nodes.length, far = doc.nodes.map((_, i) => doc.nodes.map((_, j) => (i === j ? 0 : n < 2 ? 1 : Math.min(n, 4))));
  const near = doc.nodes.map(() => []);
  for (const l of doc.links) {
    near[l.a]?.push(l.b);
    near[l.b]?.push(l.a);
  }
  for (let i = 0; i < n; i++) {
    const seen = new Set([i]);
    let front = [i];
    for (let d = 1; front.length; d++) {
      front = front.flatMap((a) => near[a]).filter((b) => !seen.has(b) && seen.add(b));
      for (const b of front) far[i][b] = d;
    }
  }
  return far;
}

// turned rotates points so that their spread is along x, the first to the left.
function turned(at) {
  const n = at.length || 1, cx = at.reduce((s, a) => s + a[0], 0) / n, cy = at.reduce((s, a) => s + a[1], 0) / n;
  let xx = 0, yy = 0, xy = 0;
  for (const [x, y] of at) {
    xx += (x - cx) ** 2;
    yy += (y - cy) ** 2;
    xy += (x - cx) * (y - cy);
  }
  const angle = -0.5 * Math.atan2(2 * xy, xx - yy), c = Math.cos(angle), s = Math.sin(angle);
  const out = at.map(([x, y]) => [(x - cx) * c - (y - cy) * s, (x - cx) * s + (y - cy) * c]);
  const flip = out.length && out[0][0] > 0 ? -1 : 1;
  return out.map(([x, y]) => [x * flip, y * flip]);
}

function topology(doc) {
  if (doc.nodes.length === 0) return el("p", { class: "empty" }, "The network has no nodes.");
  if (doc.nodes.length > MOST_DRAWN) return el("p", { class: "dim" }, `${count(doc.nodes.length)} nodes are too many to draw; the tables have them all.`);
  const at = layout(doc), [x0, x1] = bounds(at.map((a) => a[0])), [y0, y1] = bounds(at.map((a) => a[1]));
  const unit = Math.max(90, Math.min(300, 900 / Math.max(x1 - x0, 1), 330 / Math.max(y1 - y0, 1))), wide = (x1 - x0) * unit + 220, tall = (y1 - y0) * unit + 130;
  const x = (i) => (at[i][0] - x0) * unit + 110, y = (i) => (at[i][1] - y0) * unit + 65;
  const few = doc.links.length <= 12;
  const links = doc.links.filter((l) => exists(doc, l)).map((l) => drawLink(doc, l, x(l.a), y(l.a), x(l.b), y(l.b), few));
  const nodes = doc.nodes.map((n, i) => drawNode(n, x(i), y(i)));
  return el("div", { class: "scroll" }, svg("svg", { class: "topology", viewBox: `0 0 ${Math.round(wide)} ${Math.round(tall)}`, width: Math.round(wide), height: Math.round(tall),
    role: "img", "aria-label": `${doc.nodes.length} nodes, ${doc.links.length} links; the table below says the same` }, links, nodes));
}

function cutText(text, chars) {
  return text.length <= chars ? text : text.slice(0, chars - 1) + "…";
}

function drawLink(doc, l, ax, ay, bx, by, few) {
  const lost = l.lost[0] + l.lost[1], title = svg("title", {}, linkText(doc, l, 0) + "\n" + linkText(doc, l, 1));
  const g = svg("g", { class: lost ? "link lossy" : "link" }, title, svg("line", { x1: ax, y1: ay, x2: bx, y2: by }));
  if (!few) return g;
  const mx = (ax + bx) / 2, my = (ay + by) / 2, level = Math.abs(by - ay) < Math.abs(bx - ax);
  const left = ax <= bx, arrow = (way) => (level ? ((way === 0) === left ? "→" : "←") : (way === 0) === (ay <= by) ? "↓" : "↑");
  const room = level ? Math.max(14, Math.min(44, Math.floor((Math.abs(bx - ax) - 76) / 6.7))) : 44; // between the nodes' names
  const says = (way) => `${arrow(way)} ${cutText([l.ab, l.ba][way] || "", room)}`;
  const counts = (way) => plural(l.packets[way], "packet") + (l.lost[way] ? `, ${count(l.lost[way])} lost` : "");
  const line = (way, dy, words, css) => svg("text", { x: mx, y: my + dy, class: `mono ${css}` }, words);
  for (const way of [0, 1]) {
    const css = l.lost[way] ? "bad" : "dim";
    if (Math.abs(by - ay) > 0.2 * Math.abs(bx - ax) || (says(way) + counts(way)).length * 6.7 > Math.abs(bx - ax) - 50) { // a line each
      g.append(line(way, way ? 18 : -22, says(way), ""), line(way, way ? 31 : -9, counts(way), css));
    } else g.append(svg("text", { x: mx, y: my + (way ? 18 : -9), class: "mono" }, says(way) + "  ", svg("tspan", { class: css }, counts(way))));
  }
  return g;
}

function linkText(doc, l, way) {
  const [from, to] = way ? [l.b, l.a] : [l.a, l.b];
  return `${nodeName(doc, from)} → ${nodeName(doc, to)}: ${[l.ab, l.ba][way] || "plain"}, ${count(l.packets[way])} packets, ${count(l.lost[way])} lost`;
}

function drawNode(n, x, y) {
  const shape = { host: svg("rect", { x: x - 16, y: y - 12, width: 32, height: 24, rx: 3 }), router: svg("circle", { cx: x, cy: y, r: 15 }),
    switch: svg("rect", { x: x - 20, y: y - 9, width: 40, height: 18, rx: 9 }), nat: svg("polygon", { points: `${x},${y - 16} ${x + 18},${y} ${x},${y + 16} ${x - 18},${y}` }) };
  const kind = svg("text", { x, y: y + 4, class: "kind" }, { router: "R", switch: "S", nat: "N" }[n.kind] || "");
  return svg("g", { class: "node" }, svg("title", {}, [n.name, n.kind, ...(n.addrs || [])].join("\n")), shape[n.kind] || shape.host, kind,
    svg("text", { x, y: y - 22, class: "name" }, cutText(n.name, 26)),
    svg("text", { x, y: y + 32, class: "mono dim" }, n.kind === "host" ? cutText((n.addrs || [])[0] || "", 26) : ""));
}

// exists tells whether a link joins nodes that there are.
function exists(doc, l) {
  return Boolean(doc.nodes[l.a] && doc.nodes[l.b]);
}

function table(heads, rows) {
  return el("div", { class: "scroll" }, el("table", { class: "grid" }, el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, rows.map((r) => el("tr", {}, r.map((c) => el("td", { class: typeof c === "number" ? "number" : "" }, typeof c === "number" ? count(c) : c)))))));
}

function linkTable(doc) {
  const rows = doc.links.flatMap((l) => [0, 1].map((way) => {
    const [from, to] = way ? [l.b, l.a] : [l.a, l.b];
    return [l.name, `${nodeName(doc, from)} → ${nodeName(doc, to)}`, [l.ab, l.ba][way], l.packets[way], l.bytes[way],
      l.lost[way] ? el("span", { class: "bad" }, `${count(l.lost[way])} (${((100 * l.lost[way]) / l.packets[way]).toFixed(1)} %)`) : 0, l.changed[way]];
  }));
  return rows.length ? table(["Link", "Direction", "Description", "Packets", "Bytes", "Lost", "Changed"], rows) : el("p", { class: "dim" }, "There are no links.");
}

function nodeTable(doc) {
  return table(["Node", "Kind", "Addresses", "Sent", "Received"], doc.nodes.map((n) => [n.name, n.kind, (n.addrs || []).join(", "), n.sent, n.received]));
}
