import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { curves, picture, SIZE } from "../curve.js";

const step = (consumers, times) => ({ consumers, times, per_s: 40 * (times ?? 1), of_ideal: times / consumers });

test("a curve that is ideal lies on the ideal line", () => {
  const drawn = picture(curves({ rabbitmq: [step(8, 8), step(1, 1), step(2, 2)], kafka: [] }));
  const [x0, y0, x1, y1] = drawn.ideal;
  assert.deepEqual(drawn.ticks.map(({ tick }) => tick), [0, 1, 2, 8]);
  for (const { x, y, consumers } of drawn.lines[0].points) {
    assert.ok(Math.abs(x - (x0 + ((x1 - x0) * consumers) / 8)) < 1e-9);
    assert.ok(Math.abs(y - (y0 + ((y1 - y0) * consumers) / 8)) < 1e-9);
  }
});

test("a broker that was not measured has no curve, and neither has a file that is none", () => {
  for (const file of [null, undefined, {}, [], { rabbitmq: null, kafka: "many" }, { rabbitmq: [null, {}, { consumers: 0, times: 1, per_s: 1 }] }]) assert.deepEqual(curves(file), []);
  assert.deepEqual(curves({ kafka: [step(1, 1)] }).map(({ broker }) => broker), ["Kafka"]);
});

test("what cannot be compared with one consumer is left out", () => {
  const [curve] = curves({ rabbitmq: [step(4, null), step(1, 1), { consumers: 2, times: Number.NaN, per_s: 3 }] });
  assert.deepEqual(curve.steps.map(({ consumers }) => consumers), [1]);
});

test("whatever was measured stays inside the picture", () => {
  for (const file of [{ kafka: [step(1, 0)] }, { kafka: [step(2, 1e6)] }, { rabbitmq: [step(1, 1), step(2, 9)], kafka: [step(8, 0.01)] }]) {
    for (const { x, y } of picture(curves(file)).lines.flatMap((line) => line.points)) {
      assert.ok(x >= SIZE.left && x <= SIZE.width - SIZE.right, String(x));
      assert.ok(y >= SIZE.top && y <= SIZE.height - SIZE.bottom, String(y));
    }
  }
});

test("the file of this page is one that it can draw, or says that nothing was measured", () => {
  const file = JSON.parse(readFileSync(new URL("../scaling.json", import.meta.url), "utf8"));
  const measured = curves(file);
  assert.equal(measured.length === 0, file.measured_at === null);
  for (const { broker, steps } of measured) assert.deepEqual(steps.map(({ consumers }) => consumers), [1, 2, 4, 8], broker);
});
