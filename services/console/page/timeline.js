// One order's facts and spans as one list in the order in which they happened.

/**
 * Each entry has `at` in milliseconds, `took` in milliseconds or null, `source` "fact" or "span", and the fact or span itself.
 * A fact counts from the time at which it happened; it may have been recorded later.
 */
export function timeline(order) {
  const facts = (order.facts ?? []).map((fact) => ({ source: "fact", at: Date.parse(fact.time ?? fact.recorded_at), took: null, fact }));
  const spans = (order.spans ?? []).map((span) => ({ source: "span", at: Date.parse(span.started_at), took: span.duration_ms ?? null, span }));
  return [...facts, ...spans].sort((a, b) => a.at - b.at || (a.source === "fact" ? 1 : -1));
}

/** Where the entries begin and end, for the bars. */
export function extent(entries) {
  if (entries.length === 0) return { from: 0, to: 1 };
  const from = Math.min(...entries.map((entry) => entry.at));
  const to = Math.max(...entries.map((entry) => entry.at + (entry.took ?? 0)));
  return { from, to: Math.max(to, from + 1) };
}

/** `spillway.order-placed.v1` as `order-placed`. */
export function shortType(type) {
  return type?.replace(/^spillway\./, "").replace(/\.v\d+$/, "") ?? "?";
}

/** Where a span's message was, as pairs of a text's key and a value. */
export function whereabouts(span) {
  const pairs = [
    ["span.exchange", span.exchange],
    ["span.key", span.routing_key],
    ["span.queue", span.queue],
    ["span.topic", span.topic],
    ["span.partition", span.partition],
    ["span.offset", span.offset],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return pairs.length === 0 && span.destination ? [["span.destination", span.destination]] : pairs;
}

/** Whether the order's way has come to an end, so that nothing more needs to be asked for. */
export function settled(order) {
  return ["rejected", "paid", "cancelled"].includes(order?.status);
}
