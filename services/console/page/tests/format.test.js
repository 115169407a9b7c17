import assert from "node:assert/strict";
import test from "node:test";
import { parse, query } from "../api.js";
import { age, ago, bounded, clock, dateTime, duration, milliseconds, money, rate, secondsUntil, shortId } from "../format.js";
import { choose } from "../settings.js";

const AT = "2026-11-27T23:50:31.123Z";
const NOW = Date.parse(AT);
choose({ lang: "en", clock: "utc" });

test("what is not known is a question mark and never 0", () => {
  for (const format of [bounded, duration, milliseconds, clock, dateTime, shortId]) {
    assert.equal(format(null), "?");
    assert.equal(format(undefined), "?");
  }
  assert.equal(rate(null), "?/s");
  assert.equal(age(null, true), "?");
  assert.equal(money(null, "EUR"), "?");
});

test("a count that the server bounded says so", () => {
  assert.equal(bounded(0), "0");
  assert.equal(bounded(10_000), "10,000");
  assert.equal(bounded(10_001), "10,000+");
});

test("a rate has a decimal only where it says something", () => {
  assert.equal(rate(0), "0/s");
  assert.equal(rate(0.25), "0.3/s");
  assert.equal(rate(48.3), "48/s");
  assert.equal(rate(1200), "1,200/s");
});

test("a length of time has the two units that matter", () => {
  assert.equal(duration(3.14), "3.1 s");
  assert.equal(duration(3), "3 s");
  assert.equal(duration(9.96), "10 s");
  assert.equal(duration(59.4), "59 s");
  assert.equal(duration(59.6), "1 min");
  assert.equal(duration(65), "1 min 5 s");
  assert.equal(duration(3599.7), "1 h");
  assert.equal(duration(7980), "2 h 13 min");
  assert.equal(duration(90_000), "1 d 1 h");
  assert.equal(duration(-1), "0 s");
});

test("an age that may be larger says at least", () => {
  assert.equal(age(12, true), "at least 12 s");
  assert.equal(age(12, false), "12 s");
});

test("milliseconds become seconds where they are many", () => {
  assert.equal(milliseconds(3.21), "3.2 ms");
  assert.equal(milliseconds(340), "340 ms");
  assert.equal(milliseconds(1234), "1.2 s");
});

test("a clock has 24 hours and one zone", () => {
  assert.equal(clock("2026-11-27T00:03:22Z"), "00:03:22");
  assert.equal(dateTime(AT), "2026-11-27 23:50:31 UTC");
});

test("a time is seen from the server's now", () => {
  assert.equal(ago("2026-11-27T23:50:19Z", NOW), "12 s ago");
  assert.equal(ago("2026-11-27T23:50:31Z", NOW), "just now");
  assert.equal(ago("2026-11-27T23:53:31Z", NOW), "in 3 min");
  assert.equal(secondsUntil("2026-11-27T23:50:00Z", NOW), 0);
});

test("Chinese has its own units", () => {
  choose({ lang: "zh" });
  assert.equal(duration(65), "1 分 5 秒");
  assert.equal(ago("2026-11-27T23:50:19Z", NOW), "12 秒前");
  choose({ lang: "en" });
});

test("an integer that a double cannot hold keeps its digits", () => {
  const text = '{"offset": 9007199254740993, "list": [-9007199254740993], "text": "9007199254740993 \\" 1", "x": 0.12345678901234567, "small": 12}';
  const value = parse(text);
  assert.equal(value.offset, "9007199254740993");
  assert.deepEqual(value.list, ["-9007199254740993"]);
  assert.equal(value.text, '9007199254740993 " 1');
  assert.equal(value.x, 0.12345678901234567);
  assert.equal(value.small, 12);
});

test("a query leaves out what has no value", () => {
  assert.equal(query("/x", { a: "", b: null, c: undefined }), "/x");
  assert.equal(query("/x", { email: "a+b@example.org", limit: 20 }), "/x?email=a%2Bb%40example.org&limit=20");
});
