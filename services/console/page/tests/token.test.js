import assert from "node:assert/strict";
import test from "node:test";
import { admin, brought, refusedBy, takeToken } from "../token.js";

test("a request brings nothing until there is a token, and then that", () => {
  assert.deepEqual(brought(), {});
  takeToken("a-token-for-tests");
  assert.deepEqual(brought(), { authorization: "Bearer a-token-for-tests" });
});

test("whoever is not let in is asked for a token, once, until there is another one", () => {
  let told = 0;
  const forget = admin.watch(() => told++);
  refusedBy(403);
  assert.equal(admin.get().refused, false);
  refusedBy(401);
  refusedBy(401);
  assert.deepEqual([admin.get().refused, told], [true, 1]);
  takeToken("another-token-here");
  assert.equal(admin.get().refused, false);
  forget();
});
