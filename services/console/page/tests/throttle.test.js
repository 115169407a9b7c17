import assert from "node:assert/strict";
import test from "node:test";
import { throttle } from "../throttle.js";

/** Calls by number, and a clock that goes on when it is told to. */
function tried() {
  const pending = [];
  let calls = 0;
  const { want, stop } = throttle(() => { calls += 1; }, 1000, (call) => pending.push(call));
  return { want, stop, calls: () => calls, pending: () => pending.length, elapse: () => pending.shift()() };
}

test("what is wanted for the first time, or after a while, is done at once", () => {
  const it = tried();
  it.want();
  assert.equal(it.calls(), 1);
  it.elapse();
  assert.equal(it.calls(), 1);
  assert.equal(it.pending(), 0);
  it.want();
  assert.equal(it.calls(), 2);
});

test("what is wanted often is done once in a while, and once more at the end", () => {
  const it = tried();
  for (let n = 0; n < 5; n += 1) it.want();
  assert.equal(it.calls(), 1);
  it.elapse();
  assert.equal(it.calls(), 2);
  it.want();
  assert.equal(it.calls(), 2);
  it.elapse();
  assert.equal(it.calls(), 3);
  it.elapse();
  assert.deepEqual([it.calls(), it.pending()], [3, 0]);
});

test("what was wanted before it ended is not done after it", () => {
  const it = tried();
  it.want();
  it.want();
  it.stop();
  it.elapse();
  assert.equal(it.calls(), 1);
});
