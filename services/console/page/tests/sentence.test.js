import assert from "node:assert/strict";
import test from "node:test";
import { forecast } from "../forecast.js";
import { sentence } from "../sentence.js";
import { choose } from "../settings.js";

const NOW = Date.parse("2026-11-27T14:03:34Z");
const EMPTY = { level: "error", since: null, until: null, depth: null, age_s: null, age_at_least: false, service: null, partition: null, offset: null, order_id: null, attempt: null, attempts: null, error: null, by: null, in_per_s: null, out_per_s: null, command: null };
choose({ lang: "en", clock: "utc" });

const said = (s, grown = 0) => sentence({ ...EMPTY, ...s }, NOW, grown);

test("nobody consumes: how many, how old, since when", () => {
  const s = { reason: "nobody-consumes", subject: "inventory.stock-commands", depth: 412, age_s: 12, since: "2026-11-27T14:03:22Z" };
  assert.equal(said(s), "inventory.stock-commands: nobody consumes; 412 waiting, oldest 12 s; since 14:03:22");
});

test("an age grows by what has passed since the frame", () => {
  const s = { reason: "nobody-consumes", subject: "q", depth: 10_001, age_s: 20, age_at_least: true };
  assert.equal(said(s, 1.4), "q: nobody consumes; 10,000+ waiting, oldest at least 21 s");
});

test("a depth that is not known is a question mark", () => {
  assert.equal(said({ reason: "nobody-consumes", subject: "q" }), "q: nobody consumes; ? waiting");
});

test("consumers that hold messages are told apart from nobody", () => {
  assert.equal(said({ reason: "held", subject: "notification.email", depth: 3 }), "notification.email: consumers hold it; 3 waiting");
});

test("a retry says where, which order, which attempt and why", () => {
  const s = { reason: "retry", subject: "order-events/3", until: "2026-11-27T14:03:54Z", partition: 3, offset: 812, order_id: "01a20577-e3f0-72c9-b89b-faf4db05ad0c", attempt: 2, attempts: 6, error: "451 try again" };
  assert.equal(said(s), "order-events/3: held for a retry until 14:03:54 (in 20 s); partition 3, offset 812, order db05ad0c; attempt 2 of 6; 451 try again");
});

test("an offset that is too large for a number keeps its digits", () => {
  assert.match(said({ reason: "retry", subject: "t/0", offset: "9007199254740993" }), /offset 9007199254740993/);
});

test("what is broken on purpose says by whom and until when", () => {
  const by = { subject: "inventory", by: "Ada", until: "2026-11-27T14:04:04Z" };
  assert.equal(said({ reason: "paused", ...by }), "inventory: paused by Ada; until 14:04:04 (30 s left)");
  assert.equal(said({ reason: "slowed", ...by }), "inventory: slowed down by Ada; until 14:04:04 (30 s left)");
  assert.equal(said({ reason: "failing", ...by }), "inventory: made to fail by Ada; until 14:04:04 (30 s left)");
});

test("arrival faster than processing names both rates", () => {
  const s = { reason: "arrival-faster", subject: "q", in_per_s: 480, out_per_s: 182.4, depth: 2312, age_s: 12.3 };
  assert.equal(said(s), "q: arrives faster than it is processed, 480/s in and 182/s out; 2,312 waiting, oldest 12 s");
});

test("a broker that is away leaves the orders in the outbox", () => {
  const s = { reason: "broker-away", subject: "RabbitMQ", since: "2026-11-27T14:03:22Z", error: "connection refused" };
  assert.equal(said(s), "RabbitMQ is away since 14:03:22; orders are still taken and wait in the outbox; connection refused");
});

test("a reason of a newer server is not hidden", () => {
  assert.equal(said({ reason: "something-new", subject: "q", error: "why" }), "q: nothing is known; why");
});

test("a value that looks like a place in a text stays as it is", () => {
  assert.match(said({ reason: "paused", subject: "q", by: "{until}" }), /paused by \{until\}/);
});

test("a queue that drains says when it is empty", () => {
  assert.equal(forecast({ kind: "drains", per_s: -12, empty_at: "2026-11-27T14:05:04Z" }, NOW), "Drains by 12/s: empty at 14:05:04, in 1 min 30 s.");
});

test("a queue that grows is never empty at this rate", () => {
  assert.equal(forecast({ kind: "grows", per_s: 298.2 }, NOW), "Grows by 298/s: never empty at this rate.");
});

test("without a forecast nothing is promised", () => {
  assert.match(forecast(undefined, NOW), /^\?/);
  assert.match(forecast({ kind: "unknown" }, NOW), /^\?/);
});
