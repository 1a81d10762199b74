"use strict";
// The time-sequence plot, in the manner of tcptrace: each segment a bar from its
// first to its last byte when it was sent, the line of acknowledgements below,
// the edge of the window above, SACK blocks beside the acknowledgements that
// have them.

// sequenceData are the columns for the lines, and for the values at the cursor.
function sequenceData(stream) {
  const events = [];
  for (const s of stream.segments) events.push([s.t, s.end, null, null]);
  for (const a of stream.acks) events.push([a.t, null, a.ack, a.edge]);
  events.sort((a, b) => a[0] - b[0]);
  const out = [[], [], [], []];
  let acked = -Infinity, edge = -Infinity;
  for (const e of events) {
    if (e[2] !== null) { // one that comes late moves nothing back
      e[2] = acked = Math.max(acked, e[2]);
      e[3] = edge = Math.max(edge, e[3]);
    }
    e.forEach((v, k) => out[k].push(k === 0 ? v / 1e9 : v));
  }
  return out;
}

// sequenceRange is from the lowest acknowledgement in view to the highest
// segment; the window's edge is shown too if it is near, or if that is wanted.
// (While uPlot computes ranges, its own of x is still the old one.)
function sequenceRange(stream, plots) {
  const times = stream.segments.map((s) => s.t / 1e9), ackTimes = stream.acks.map((a) => a.t / 1e9);
  return () => {
    const { min, max } = plots.range;
    const segs = stream.segments.slice(Math.max(0, lower(times, min) - 1), lower(times, max) + 1);
    const acks = stream.acks.slice(Math.max(0, lower(ackTimes, min) - 1), lower(ackTimes, max) + 1);
    const all = [...segs.map((s) => s.seq), ...segs.map((s) => s.end), ...acks.map((a) => a.ack)];
    let [lo, hi] = bounds(all);
    const edge = bounds(acks.map((a) => a.edge))[1], span = Math.max(hi - lo, 10);
    if (edge > hi && (plots.wholeWindow || edge - hi < span)) hi = edge;
    return [lo - span * 0.04, hi + Math.max(span, hi - lo) * 0.06];
  };
}

// drawSequence draws what is no line. Bars are at least a pixel high.
function drawSequence(stream, ink) {
  return (u) => {
    const ctx = u.ctx, { left, top, width, height } = u.bbox, dpr = devicePixelRatio;
    const x = (t) => Math.round(u.valToPos(t / 1e9, "x", true)), y = (v) => u.valToPos(v, "y", true);
    const { min, max } = u.scales.x, inView = (e) => e.t / 1e9 >= min && e.t / 1e9 <= max;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    const bars = (list, colour, thick) => {
      ctx.strokeStyle = colour;
      ctx.lineWidth = thick * dpr;
      ctx.beginPath();
      for (const b of list) {
        const px = x(b.t), y0 = y(b.from), y1 = Math.min(y(b.to), y0 - dpr);
        ctx.moveTo(px, y0);
        ctx.lineTo(px, y1);
      }
      ctx.stroke();
    };
    const segs = stream.segments.filter(inView).map((s) => ({ ...s, from: s.seq, to: s.end }));
    const sacks = stream.acks.filter(inView).flatMap((a) => a.sack.map(([from, to]) => ({ t: a.t, from, to })));
    bars(sacks, ink.mark, 1);
    bars(segs.filter((s) => !s.resent), ink.there, 1.5);
    const resent = segs.filter((s) => s.resent);
    bars(resent, ink.warn, 2.5);
    ctx.fillStyle = ink.warn; // R, as tcptrace writes it, where there is room
    ctx.font = `${10 * dpr}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    let last = -Infinity;
    for (const s of resent) {
      if (x(s.t) - last < 9 * dpr) continue;
      last = x(s.t);
      ctx.fillText("R", last, y(s.end) - 4 * dpr);
    }
    ctx.strokeStyle = ink.bad;
    ctx.lineWidth = 2 * dpr;
    ctx.beginPath();
    for (const l of stream.losses.filter(inView)) {
      const px = x(l.t), py = y((l.seq + l.end) / 2), r = 4 * dpr;
      ctx.moveTo(px - r, py - r);
      ctx.lineTo(px + r, py + r);
      ctx.moveTo(px - r, py + r);
      ctx.lineTo(px + r, py - r);
    }
    ctx.stroke();
    ctx.strokeStyle = ink.back; // ticks for what says an acknowledgement again
    ctx.lineWidth = dpr;
    ctx.beginPath();
    for (const a of stream.acks.filter((a) => a.dup && inView(a))) {
      ctx.moveTo(x(a.t), y(a.ack));
      ctx.lineTo(x(a.t), y(a.ack) + 5 * dpr);
    }
    ctx.stroke();
    ctx.restore();
  };
}

// drawLosses marks on any plot when something was lost.
function drawLosses(stream, ink) {
  return (u) => {
    const ctx = u.ctx, { left, top, width, height } = u.bbox, dpr = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ink.bad;
    for (const [list, alpha, length] of [[stream.losses, 0.55, height], [stream.ackLosses, 0.8, 8 * dpr]]) {
      ctx.globalAlpha = alpha;
      ctx.lineWidth = dpr;
      ctx.setLineDash(length === height ? [2 * dpr, 3 * dpr] : []);
      ctx.beginPath();
      let last = -Infinity;
      for (const l of list) {
        const x = Math.round(u.valToPos(l.t / 1e9, "x", true));
        if (x < left || x > left + width || x === last) continue;
        last = x;
        ctx.moveTo(x, top);
        ctx.lineTo(x, top + length);
      }
      ctx.stroke();
    }
    ctx.restore();
  };
}
