import assert from "node:assert/strict";
import test from "node:test";
import { best } from "../best.js";
import { append, arrivalOf, cumulative, roundUp, SERIES } from "../series.js";
import { extent, shortType, timeline, whereabouts } from "../timeline.js";

test("the height between the curves is what waits, from the first known row on", () => {
  const rows = { at: [1, 2, 3], arrived: [null, 1010, 1030], departed: [null, 1000, 1005] };
  assert.deepEqual(cumulative(rows), [[1, 2, 3], [null, 10, 30], [null, 0, 5]]);
});

test("the width between the curves is how long the message that leaves now has waited", () => {
  assert.equal(arrivalOf([10, 11, 12, 13], [0, 10, 20, 30], 15), 11.5);
  assert.equal(arrivalOf([10, 11], [0, 0], 0), null);
  assert.equal(arrivalOf([10, 11, 12], [0, null, 20], 15), null);
});

test("what has left the window is forgotten", () => {
  const rows = Object.fromEntries(["at", ...SERIES].map((name) => [name, []]));
  for (let at = 0; at < 20; at += 1) append(rows, at, { peak: { depth: at }, orders: { p50_ms: null } }, 5);
  assert.equal(rows.at[0], 13);
  assert.equal(rows.depth[0], 13);
  assert.equal(rows.p50_ms.length, rows.at.length);
});

test("an axis ends at a round number", () => {
  assert.deepEqual([0, 0.7, 11, 480, 9_999].map(roundUp), [1, 0.8, 15, 500, 10_000]);
});

test("a rate counts when the same number of instances has kept it up for ten seconds", () => {
  const seen = best();
  for (let at = 0; at <= 10; at += 1) seen.add(at, 2, 100);
  seen.add(11, 3, 900);
  assert.deepEqual([...seen.rates], [[2, 100]]);
});

test("a time line has facts and spans in the order in which they happened", () => {
  const entries = timeline({
    facts: [{ type: "spillway.order-placed.v1", time: "2026-11-27T14:00:00.010Z" }],
    spans: [{ name: "late", started_at: "2026-11-27T14:00:00.030Z", duration_ms: 5 }, { name: "first", started_at: "2026-11-27T14:00:00.000Z", duration_ms: 2 }],
  });
  assert.deepEqual(entries.map((e) => e.span?.name ?? shortType(e.fact.type)), ["first", "order-placed", "late"]);
  const { from, to } = extent(entries);
  assert.equal(to - from, 35);
});

test("a span says where it was by what it knows", () => {
  assert.deepEqual(whereabouts({ topic: "order-events", partition: 0, offset: 0 }), [["span.topic", "order-events"], ["span.partition", 0], ["span.offset", 0]]);
  assert.deepEqual(whereabouts({ destination: "x" }), [["span.destination", "x"]]);
});
