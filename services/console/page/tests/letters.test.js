import assert from "node:assert/strict";
import test from "node:test";
import { addressOf, filterOf, outcomeOf, progressOf, secondsLeft, stateOf, taken, unsettled, valueText, whereabouts, wrongs } from "../letters.js";
import { renewed } from "../renewed.js";
import { choose } from "../settings.js";
import { learn } from "../text.js";
import { lettersEn } from "../text/letters-en.js";
import { lettersZh } from "../text/letters-zh.js";

learn({ en: lettersEn, zh: lettersZh });
choose({ lang: "en", clock: "utc" });

const rows = (...ids) => ids.map((id) => ({ id }));
const ids = (list) => list.map(({ id }) => id);

test("what arrives later is counted and moves nothing", () => {
  const { rows: shown, fresh, missing } = renewed(rows("c", "b", "a"), { rows: rows("e", "d", "c", "b", "a"), next: "a" });
  assert.deepEqual(ids(shown), ["c", "b", "a"]);
  assert.equal(fresh, 2);
  assert.equal(missing.size, 0);
});

test("a row keeps its place and gets its new values", () => {
  const { rows: shown } = renewed([{ id: "b", state: "open" }, { id: "a" }], { rows: [{ id: "b", state: "handled" }, { id: "a" }], next: null });
  assert.equal(shown[0].state, "handled");
});

test("a row that no longer matches is missing, and one that is only further down is not", () => {
  const { rows: shown, fresh, missing } = renewed(rows("d", "c", "b", "a"), { rows: rows("e", "c"), next: "c" });
  assert.deepEqual(ids(shown), ["d", "c", "b", "a"]);
  assert.equal(fresh, 1);
  assert.deepEqual([...missing], ["d"]);
});

test("when so much has arrived that no row is found, nothing is said about them", () => {
  const { fresh, missing } = renewed(rows("a"), { rows: rows("z", "y"), next: "y" });
  assert.equal(fresh, 2);
  assert.equal(missing.size, 0);
});

test("the last page shows what is missing at its end", () => {
  assert.deepEqual([...renewed(rows("b", "a"), { rows: rows("b"), next: null }).missing], ["a"]);
});

test("a filter survives the way through the address, and open is the default", () => {
  assert.deepEqual(filterOf(new URLSearchParams("")), { state: "open" });
  const filter = { state: "all", consumer: "order.stock-events", pattern: "a # & \u202e b", q: "x=1" };
  assert.deepEqual(filterOf(new URLSearchParams(addressOf(filter).split("?")[1])), filter);
});

test("a place has what it has: an offset of 0 counts, and the default exchange has a name", () => {
  assert.deepEqual(whereabouts({ source: { kind: "topic", topic: "t", partition: 0, offset: 0, group: "g", key: null } }).map(([, value]) => value), ["t", 0, 0, "g"]);
  assert.deepEqual(whereabouts({ source: { kind: "queue", queue: "q", exchange: "", routing_key: "q" } }).map(([, value]) => value), ["q", "(default)", "q"]);
  assert.deepEqual(whereabouts({}), []);
});

test("an outcome is never more than what is known", () => {
  const said = (replay) => outcomeOf(replay)?.text;
  assert.equal(said(null), undefined);
  assert.equal(said({ state: "waiting" }), "waiting for its turn");
  assert.equal(said({ state: "sent", sent_at: "2026-11-27T14:03:22Z" }), "sent 14:03:22, no outcome yet");
  assert.equal(said({ state: "handled", by_instance: "inventory 172.18.0.6", duration_ms: 12.4 }), "handled by inventory 172.18.0.6 in 12 ms");
  assert.equal(said({ state: "handled" }), "handled by an unknown instance in ?");
  assert.equal(said({ state: "handled", duplicate: true, by_instance: "inventory 172.18.0.6", duration_ms: 12.4 }), "recognised by inventory 172.18.0.6: handled before, no second effect");
  assert.equal(said({ state: "failed", error: "{by} unsupported version 7" }), "failed again: {by} unsupported version 7");
  assert.equal(said({ state: "silent", sent_at: "2026-11-27T14:03:22Z" }), "sent 14:03:22, no news for 60 s");
  assert.equal(said({ state: "of a newer server" }), "of a newer server");
});

test("only what is waiting or sent will still be heard of", () => {
  assert.deepEqual(["waiting", "sent", "handled", "failed", "silent", "stopped"].map((state) => unsettled({ replay: { state } })), [true, true, false, false, false, false]);
  assert.equal(unsettled(null), false);
});

test("every state has a shape and a word", () => {
  assert.deepEqual(stateOf({ state: "handled" }), { kind: "ok", word: "handled" });
  assert.deepEqual(stateOf({ state: "other" }), { kind: "off", word: "other" });
});

test("a job tells what has left from what it has come to", () => {
  const job = { state: "running", rate: 100, total: 1000, waiting: 600, sent: 3, handled: 390, failed: 5, silent: 2, stopped: 0 };
  const { done, text, counts } = progressOf(job);
  assert.equal(done, 400);
  assert.equal(text, "400 of 1,000 sent");
  assert.deepEqual(counts.map((count) => count.text), ["390 handled", "5 failed again", "3 under way", "2 without news for 60 s", "600 waiting"]);
  assert.equal(secondsLeft(job), 6);
  assert.equal(secondsLeft({ ...job, state: "paused" }), null);
  assert.equal(progressOf({ ...job, waiting: 0, stopped: 600 }).done, 400);
  assert.equal(progressOf({ ...job, duplicates: 12 }).counts[1].text, "12 of them handled before, no second effect");
});

test("a replay leaves out what is overtaken, unless somebody wants it", () => {
  const chosen = new Map([["a", { overtaken: false }], ["b", { overtaken: true }]]);
  assert.deepEqual(taken(chosen, false), ["a"]);
  assert.deepEqual(taken(chosen, true), ["a", "b"]);
});

test("what is wrong stands at its field, with its pointer", () => {
  const problem = { errors: [{ field: "body/lines/0/sku", message: "too short" }, { field: "body", message: "no JSON" }, { field: "message_id", message: "no UUID" }] };
  assert.deepEqual(wrongs(problem, "body"), [{ pointer: "/lines/0/sku", says: "too short" }, { pointer: "", says: "no JSON" }]);
  assert.deepEqual(wrongs(problem, "message_id"), [{ pointer: "", says: "no UUID" }]);
  assert.deepEqual(wrongs(problem, "message_type"), []);
  assert.deepEqual(wrongs(null, "body"), []);
});

test("all that can happen to a letter has a word", () => {
  for (const what of ["failed", "failed-again", "edited", "replayed", "handled", "recognised", "stopped", "discarded", "restored"]) assert.ok(`letter.did.${what}` in lettersEn, what);
});

test("what is missing is told apart from what is empty, false or 0", () => {
  assert.deepEqual([null, undefined, "", 0, false, { a: [1] }].map(valueText), [null, null, "", "0", "false", '{"a":[1]}']);
});
