import assert from "node:assert/strict";
import test from "node:test";
import { parse } from "../api.js";
import { asText, fromHex, hexdump, mixesLineEnds, unseen, withItsLineEnds } from "../bytes.js";

const utf8 = (text) => new TextEncoder().encode(text);

test("bytes are text only when no byte of them would be lost", () => {
  assert.equal(asText(utf8('{"größe": 9007199254740993}')), '{"größe": 9007199254740993}');
  assert.equal(asText(utf8("\ufeff{}")), "\ufeff{}");
  assert.equal(asText(new Uint8Array(0)), "");
  assert.equal(asText(Uint8Array.of(0x7b, 0xff, 0x7d)), null);
  assert.equal(asText(utf8("a\0b")), null);
});

test("bytes that are no text are shown with where they are", () => {
  const lines = hexdump(fromHex(`fffe00${"41".repeat(14)}`)).split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^00000000 {2}ff fe 00 41 41 .* {2}\.\.\.AAAAAAAAAAAAA$/);
  assert.match(lines[1], /^00000010 {2}41 +A$/);
  assert.equal(hexdump(fromHex("")), "");
});

test("a body that was not touched stays as it was, whatever a field does to its line ends", () => {
  const raw = '{"a":1,\r\n"a":2}\r\r\n\n';
  assert.equal(withItsLineEnds('{"a":1,\n"a":2}\n\n\n', raw), raw);
});

test("an edit keeps CRLF where there was nothing else", () => {
  assert.equal(withItsLineEnds("b\nc\n", "a\r\nc\r\n"), "b\r\nc\r\n");
  assert.equal(withItsLineEnds("b\nc", "a\nc"), "b\nc");
  assert.equal(withItsLineEnds("b\nc", "a"), "b\nc");
});

test("line ends that an edit cannot keep are told", () => {
  assert.deepEqual(["a", "a\nb\n", "a\r\nb\r\n", "a\r\nb\n", "a\rb"].map(mixesLineEnds), [false, false, false, true, true]);
});

test("characters that hide or turn a text have a name", () => {
  assert.deepEqual(unseen("a\u202egro\u202c \u200b\u202e\tb\n"), [{ name: "U+202E", n: 2 }, { name: "U+202C", n: 1 }, { name: "U+200B", n: 1 }]);
  assert.deepEqual(unseen("größe 订单\r\n"), []);
});

test("an answer with a body of a megabyte is read", () => {
  const body = '"\\9007199254740993'.repeat(60_000);
  assert.equal(parse(JSON.stringify({ body, offset: 1 })).body, body);
});
