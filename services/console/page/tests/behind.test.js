import assert from "node:assert/strict";
import test from "node:test";
import { behind } from "../behind.js";

/** A frame in which the console has read these two topics so far: `[lag, age]`. */
function frame(orders, stock) {
  const topic = (name, [lag, age_s]) => ({ name, groups: [{ service: "notification", lag: 9, age_s: 99 }, { service: "console", lag, age_s }] });
  return { topics: [topic("order-events", orders), topic("stock-events", stock), topic("products", [7, 70])] };
}

test("events that are about to be read are not worth a word", () => {
  for (const known of [null, {}, { topics: [] }, frame([0, null], [0, null]), frame([900, 9.9], [3, 0.1]), frame([900, null], [0, null])]) {
    assert.equal(behind(known), null);
  }
});

test("what is unread is counted in both topics about orders, and is as old as the oldest", () => {
  assert.deepEqual(behind(frame([900, 10], [0, null])), { lag: 900, age_s: 10 });
  assert.deepEqual(behind(frame([900, 9], [40, 12.5])), { lag: 940, age_s: 12.5 });
});
