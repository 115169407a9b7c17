// Arithmetic on the rows of the charts.

export const SERIES = ["arrived", "departed", "depth", "age_s", "in_per_s", "out_per_s", "p50_ms", "p99_ms", "instances"];

/** Adds what a frame says, and forgets what has left the window. */
export function append(rows, at, frame, seconds) {
  const values = { ...frame.peak, p50_ms: frame.orders?.p50_ms, p99_ms: frame.orders?.p99_ms };
  rows.at.push(at);
  for (const name of SERIES) rows[name].push(values[name] ?? null);
  const old = rows.at.findIndex((time) => time >= at - seconds - 1);
  if (old > 0) for (const name of ["at", ...SERIES]) rows[name].splice(0, old);
}

/** Arrivals and departures counted from the first row at which both are known, so that their distance is what waits. */
export function cumulative(rows) {
  const first = rows.at.findIndex((_, i) => rows.arrived[i] !== null && rows.departed[i] !== null);
  const base = first < 0 ? 0 : rows.departed[first];
  const from = (value) => (value === null || first < 0 ? null : value - base);
  return [rows.at, rows.arrived.map(from), rows.departed.map(from)];
}

/** When the message that leaves now had arrived: the time at which arrivals had the count that departures have now. */
export function arrivalOf(times, arrived, level) {
  for (let i = times.length - 1; i > 0; i -= 1) {
    const [a, b] = [arrived[i - 1], arrived[i]];
    if (a === null || b === null) continue;
    if (a <= level && b > level) return times[i - 1] + ((level - a) / (b - a)) * (times[i] - times[i - 1]);
  }
  return null;
}

/** The next round number, for the end of an axis. */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((n) => n * magnitude >= value);
  return step * magnitude;
}
