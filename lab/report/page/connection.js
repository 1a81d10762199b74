"use strict";
// What the sender of one direction of a TCP connection saw: the segments that it
// sent, the acknowledgements that reached it, and the samples of its state.

class Stream {
  constructor(doc, flow, back) {
    Object.assign(this, { doc, flow, back, segments: [], acks: [], losses: [], ackLosses: [], sender: -1 });
    const f = doc.flows[flow];
    this.name = back ? `${f.dst} → ${f.src}` : `${f.src} → ${f.dst}`;
    this.collect();
    this.samples = this.ownSamples();
    this.rtts = this.measure();
    this.flight = this.outstanding();
  }

  collect() {
    const p = this.doc.packets;
    for (let i = 0; i < p.n; i++) {
      if (p.flow[i] !== this.flow) continue;
      const m = p.marks[i], ours = Boolean(m & MARK.back) === Boolean(this.back);
      const isTCP = p.payload[i] > 0 || p.ack[i] > 0;
      if (!isTCP) continue; // an ICMP error about the connection
      if (ours) {
        if (m & MARK.origin) this.sender = p.from[i];
        if (p.payload[i] > 0 && m & MARK.origin) {
          this.segments.push({ i, t: p.sent[i], seq: p.seq[i], end: p.seq[i] + p.payload[i], resent: Boolean(m & MARK.resent), probe: Boolean(m & MARK.keepAlive) });
        }
        if (p.payload[i] > 0 && m & MARK.dropped) {
          this.losses.push({ i, t: p.sent[i], seq: p.seq[i], end: p.seq[i] + p.payload[i] });
        }
      } else if (m & MARK.dropped) this.ackLosses.push({ i, t: p.sent[i], ack: p.ack[i] });
      else if (m & MARK.final && p.ack[i] > 0 && !isNaN(p.arrived[i])) {
        this.acks.push({ i, t: p.arrived[i], ack: p.ack[i], edge: p.ack[i] + p.window[i], sack: p.sack[i] || [], dup: Boolean(m & MARK.dupAck) });
      }
    }
    this.acks.sort((a, b) => a.t - b.t || a.ack - b.ack);
  }

  ownSamples() {
    const s = this.doc.samples, out = [];
    for (let k = 0; k < s.n; k++) if (s.flow[k] === this.flow && Boolean(s.back[k]) === Boolean(this.back)) out.push(k);
    return out;
  }

  // measure takes a round trip from each acknowledgement of something new, if no
  // part of that was sent twice (RFC 6298 section 3, Karn's algorithm).
  measure() {
    const out = [], twice = new Set(this.segments.filter((s) => s.resent).map((s) => s.seq));
    const waiting = this.segments.filter((s) => !s.resent && !s.probe);
    let next = 0, highest = 0;
    for (const a of this.acks) {
      if (a.ack <= highest) continue;
      highest = a.ack;
      let last = null, clean = true;
      for (; next < waiting.length && waiting[next].end <= a.ack; next++) {
        last = waiting[next];
        clean &&= !twice.has(last.seq);
      }
      if (last && clean) out.push({ t: a.t, rtt: a.t - last.t });
    }
    return out;
  }

  // outstanding is what was sent and not acknowledged, from the packets alone.
  outstanding() {
    const out = [];
    let sent = 0, acked = 0, s = 0, a = 0;
    while (s < this.segments.length || a < this.acks.length) {
      const first = s < this.segments.length && (a >= this.acks.length || this.segments[s].t < this.acks[a].t);
      if (first) sent = Math.max(sent, this.segments[s].end);
      else acked = Math.max(acked, this.acks[a].ack);
      out.push({ t: first ? this.segments[s++].t : this.acks[a++].t, bytes: Math.max(0, sent - acked) });
    }
    return out;
  }

  summary() {
    const segs = this.segments, parts = [];
    const data = Math.max(0, ...bounds(segs.map((s) => s.end))) - 1;
    parts.push(plural(segs.length, "segment"), `${count(Math.max(0, data))} bytes of sequence`);
    parts.push(`${count(segs.filter((s) => s.resent).length)} resent`, `${count(this.losses.length)} lost, and ${count(this.ackLosses.length)} acknowledgements`);
    if (segs.length > 1 && this.acks.length) {
      const took = this.acks[this.acks.length - 1].t - segs[0].t;
      if (took > 0 && data > 1000) parts.push(`${(((data * 8) / took) * 1e3).toPrecision(3)} Mbit/s`);
    }
    if (this.rtts.length) {
      const r = this.rtts.map((x) => x.rtt), [least, most] = bounds(r);
      parts.push(`RTT ${duration(least)} to ${duration(most)}`);
    }
    return parts.join(" · ");
  }
}

// bounds are the least and the largest of any number of numbers.
function bounds(list) {
  let lo = Infinity, hi = -Infinity;
  for (const x of list) {
    if (x < lo) lo = x;
    if (x > hi) hi = x;
  }
  return list.length ? [lo, hi] : [0, 0];
}
