"use strict";
// The recording as the page's programs use it: columns of packets and samples,
// unpacked from the text in the element #data. Times are nanoseconds.

// What is remarkable of a packet (marks.go has the same table).
const MARK = {
  fromA: 1, dropped: 2, origin: 4, final: 8, back: 16, resent: 32, keepAlive: 64, dupAck: 128, zero: 256,
  corrupted: 512, duplicated: 1024, overtaken: 2048, ce: 4096, damaged: 8192, changed: 16384, waiting: 32768,
};
const IMPAIRED = MARK.dropped | MARK.corrupted | MARK.duplicated | MARK.overtaken | MARK.ce | MARK.changed | MARK.damaged;

function fromBase64(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

async function unpack() {
  const zipped = fromBase64(document.getElementById("data").textContent.trim());
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const doc = JSON.parse(await new Response(stream).text());
  for (const list of ["failed", "truncated", "nodes", "links", "flows", "notes", "tables"]) doc[list] ||= [];
  doc.packets = packetColumns(doc);
  doc.samples = sampleColumns(doc.samples);
  doc.failedRun = doc.failed.length > 0;
  return doc;
}

// running undoes differences.
function running(column) {
  const out = new Float64Array((column || []).length);
  let sum = 0;
  for (let i = 0; i < out.length; i++) out[i] = sum += column[i];
  return out;
}

function packetColumns(doc) {
  const c = doc.packets, n = c.count;
  const p = {
    n, gap: c.gap, sent: running(c.sent), arrived: new Float64Array(n), from: new Int32Array(n), to: new Int32Array(n),
    link: Int32Array.from(c.link || []), flow: Int32Array.from(c.flow || []), marks: Uint32Array.from(c.marks || []),
    len: Int32Array.from(c.len || []), seq: Float64Array.from(c.seq || []), payload: Int32Array.from(c.payload || []),
    ack: Float64Array.from(c.ack || []), window: Float64Array.from(c.window || []),
    label: c.label || [], fields: c.fields || [], comment: c.comment, copies: c.copies, sack: c.sack, dup: c.dup,
    offset: new Int32Array(n + 1), bytes: fromBase64(c.bytes || ""),
  };
  for (let i = 0; i < n; i++) {
    const l = doc.links[p.link[i]], fromA = p.marks[i] & MARK.fromA;
    p.from[i] = fromA ? l.a : l.b;
    p.to[i] = fromA ? l.b : l.a;
    p.arrived[i] = c.took[i] < 0 ? NaN : p.sent[i] + c.took[i];
    p.offset[i + 1] = p.offset[i] + c.held[i];
  }
  return p;
}

function sampleColumns(c) {
  const s = { n: (c.at || []).length, at: running(c.at), states: c.states || [] };
  for (const name of ["flow", "back", "node", "state", "cwnd", "ssthresh", "flight", "sndwnd", "rcvwnd", "srtt", "rto", "una", "nxt"]) {
    s[name] = c[name] || [];
  }
  return s;
}

// badges are the words for a packet's marks, in the order of their weight.
function badges(p, i) {
  const m = p.marks[i], out = [];
  if (m & MARK.dropped) out.push("✗ " + (p.comment[i] || "lost"));
  else if (p.comment[i]) out.push(p.comment[i]);
  if (m & MARK.damaged) out.push("damaged");
  if (m & MARK.duplicated) out.push("×" + ((p.copies[i] || 1) + 1));
  if (m & MARK.overtaken && !(p.comment[i] || "").includes("reordered")) out.push("overtaken");
  if (m & MARK.ce) out.push("CE");
  if (m & MARK.resent) out.push("resent");
  if (m & MARK.keepAlive) out.push("keep-alive");
  if (m & MARK.dupAck) out.push("dup ack " + p.dup[i]);
  if (m & MARK.zero) out.push("zero window");
  if (m & MARK.waiting) out.push("on its way at the end");
  return out;
}

// duration writes nanoseconds with the precision of a step, or its own.
function duration(ns, step) {
  const a = Math.abs(ns), sign = ns < 0 ? "−" : "";
  if (a === 0) return "0";
  if (a >= 60e9) {
    const digits = step === undefined || step >= 1e9 ? 0 : Math.min(9, Math.ceil(-Math.log10(step / 1e9)));
    const s = Number((a / 1e9).toFixed(digits)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, rest = s % 60;
    return sign + (h ? h + " h " : "") + m + " m " + rest.toFixed(digits) + " s";
  }
  const [unit, name] = a >= 1e9 ? [1e9, "s"] : a >= 1e6 ? [1e6, "ms"] : a >= 1e3 ? [1e3, "µs"] : [1, "ns"];
  const digits = step === undefined ? (a / unit >= 100 ? 1 : 3) : Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / unit) - 1e-9)));
  return sign + (a / unit).toFixed(digits).replace(step === undefined ? /\.?0+$/ : /$^/, "") + " " + name;
}

// clock is a time of the recording: seconds, or 2:00:03.000000.
function clock(ns) {
  const s = ns / 1e9;
  if (s < 60) return s.toFixed(6) + " s";
  const two = (n) => String(n).padStart(2, "0"), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return (h ? h + ":" + two(m) : m) + ":" + (s % 60).toFixed(6).padStart(9, "0");
}

function plural(n, word) {
  return `${count(n)} ${word}${n === 1 ? "" : "s"}`;
}

function count(n) {
  return n.toLocaleString("en");
}

function size(n) {
  if (n >= 1 << 20) return (n / (1 << 20)).toFixed(1) + " MiB";
  if (n >= 1 << 10) return (n / (1 << 10)).toFixed(1) + " KiB";
  return n + " B";
}

// lower is the first index of a sorted column whose value is at least x.
function lower(column, x, n = column.length) {
  let lo = 0, hi = n;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (column[mid] < x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
