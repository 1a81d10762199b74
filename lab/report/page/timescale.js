"use strict";
// Where things stand in the ladder, in units from its top: a send and an arrival
// for each packet, and notes.
//
// In true scale a unit is a nanosecond. Compressed, a unit is a row: each packet
// has one of its own, so that what was sent in one instant can be read; time
// between events takes more room the longer it is, up to a bound; and when
// nothing is on its way for long, the ladder breaks and says for how long.

class TimeScale {
  // shown are the packets' indices, notes the notes'; guess says when a packet
  // that never arrived would have.
  constructor(doc, shown, compressed, guess) {
    this.compressed = compressed;
    this.sent = new Float64Array(shown.length);
    this.end = new Float64Array(shown.length);
    this.note = new Float64Array(doc.notes.length);
    this.breaks = [];
    this.longest = 0; // of an arrow, in units
    const p = doc.packets, ends = new Float64Array(shown.length);
    shown.forEach((i, k) => (ends[k] = isNaN(p.arrived[i]) ? guess(i) : p.arrived[i]));
    if (compressed) this.rows(doc, shown, ends);
    else this.line(doc, shown, ends);
    for (let k = 0; k < shown.length; k++) this.longest = Math.max(this.longest, this.end[k] - this.sent[k]);
  }

  line(doc, shown, ends) {
    const p = doc.packets;
    let end = 0;
    shown.forEach((i, k) => {
      this.sent[k] = p.sent[i];
      this.end[k] = ends[k];
      end = Math.max(end, ends[k]);
    });
    doc.notes.forEach((n, k) => (this.note[k] = n.at));
    this.height = Math.max(end, doc.length, 1);
    this.times = this.places = null;
  }

  rows(doc, shown, ends) {
    const events = this.events(doc, shown, ends), p = doc.packets;
    const flights = [...shown].filter((i) => p.arrived[i] > p.sent[i]).map((i) => p.arrived[i] - p.sent[i]).sort((a, b) => a - b);
    const flight = flights.length ? flights[flights.length >> 1] : 1e6;
    this.times = new Float64Array(events.length);
    this.places = new Float64Array(events.length);
    let y = 0.5, last = events.length ? events[0].t : 0, inFlight = 0, before = -1;
    events.forEach((e, n) => {
      const gap = e.t - last;
      if (gap > 4 * flight && inFlight === 0 && n > 0) {
        this.breaks.push({ from: y + 0.4, to: y + 1.6, length: gap });
        y += 2;
      } else if (gap > 0) {
        // A flight takes about two rows, and ten times as long twice as many.
        y += Math.min(6, 1.2 * Math.log2(1 + (2 * gap) / flight));
      }
      // Sends have a row each, arrivals at one instant half a row.
      if (e.kind === 1 || e.kind === 2 || before === 1 || before === 2) y += 1;
      else if (n > 0) y += 0.5;
      before = e.kind;
      last = e.t;
      this.times[n] = e.t;
      this.places[n] = y;
      if (e.kind === 1) {
        this.sent[e.k] = y;
        inFlight++;
      } else if (e.kind === 2) this.note[e.k] = y;
      else {
        this.end[e.k] = y;
        inFlight--;
      }
    });
    this.height = y + 2;
  }

  // events are arrivals (0), sends (1) and notes (2) in order. At one instant
  // arrivals come before the sends that they cause; but no packet arrives before
  // it was sent.
  events(doc, shown, ends) {
    const p = doc.packets, out = [];
    shown.forEach((i, k) => {
      out.push({ t: p.sent[i], order: k + 1, kind: 1, k });
      out.push({ t: ends[k], order: ends[k] > p.sent[i] ? 0 : k + 1.5, kind: 0, k });
    });
    doc.notes.forEach((n, k) => out.push({ t: n.at, order: 0.5, kind: 2, k }));
    return out.sort((a, b) => a.t - b.t || a.order - b.order || a.k - b.k);
  }

  // place is where a time is.
  place(t) {
    if (!this.times) return t;
    const n = this.times.length, i = lower(this.times, t);
    if (n === 0) return 0;
    if (i === 0) return this.places[0];
    if (i === n) return this.places[n - 1];
    const t0 = this.times[i - 1], t1 = this.times[i];
    return this.places[i - 1] + ((this.places[i] - this.places[i - 1]) * (t - t0)) / (t1 - t0 || 1);
  }

  // time is which time is at a place.
  time(y) {
    if (!this.times) return y;
    const n = this.places.length, i = lower(this.places, y);
    if (n === 0) return 0;
    if (i === 0) return this.times[0];
    if (i === n) return this.times[n - 1];
    const y0 = this.places[i - 1], y1 = this.places[i];
    return this.times[i - 1] + ((this.times[i] - this.times[i - 1]) * (y - y0)) / (y1 - y0 || 1);
  }
}
