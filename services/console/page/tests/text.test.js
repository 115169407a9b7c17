import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { en as first } from "../text/en.js";
import { lettersEn } from "../text/letters-en.js";
import { lettersZh } from "../text/letters-zh.js";
import { zh as firstZh } from "../text/zh.js";

const en = { ...first, ...lettersEn };
const zh = { ...firstZh, ...lettersZh };
const page = new URL("..", import.meta.url);

test("no key is in two dictionaries of a language", () => {
  for (const key of Object.keys(lettersEn)) assert.ok(!(key in first), key);
});

test("both dictionaries have the same keys", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
});

test("both texts of a key have the same places for values", () => {
  const places = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const key of Object.keys(en)) assert.deepEqual(places(zh[key]), places(en[key]), key);
});

test("no text is empty", () => {
  for (const dictionary of [en, zh]) for (const [key, text] of Object.entries(dictionary)) assert.notEqual(text.trim(), "", key);
});

test("every key that the page names is in the dictionaries", () => {
  for (const [file, source] of sources()) {
    for (const [, key] of source.matchAll(/\bt\("([a-z][a-z0-9.-]*)"/g)) assert.ok(key in en, `${file}: ${key}`);
  }
});

test("every key of the dictionaries is named in the page", () => {
  const all = sources().map(([, source]) => source).join("\n");
  for (const key of Object.keys(en)) {
    const family = `\`${key.slice(0, key.lastIndexOf(".") + 1)}\${`;
    assert.ok(all.includes(`"${key}"`) || all.includes(family), key);
  }
});

function sources() {
  const folders = ["", "flow/", "views/"];
  return folders.flatMap((folder) => readdirSync(new URL(folder, page)).filter((name) => name.endsWith(".js")).map((name) => [folder + name, readFileSync(new URL(folder + name, page), "utf8")]));
}

test("the page names every module, so that all are asked for before anybody knows who imports them", () => {
  const index = readFileSync(new URL("index.html", page), "utf8");
  for (const [file] of sources()) if (file !== "app.js") assert.ok(index.includes(`<link rel="modulepreload" href="/page/${file}">`), file);
});
