// Every word that the page shows comes from one of two dictionaries with the same keys.
import { en } from "./text/en.js";
import { zh } from "./text/zh.js";
import { language } from "./settings.js";

const DICTIONARIES = { en: { ...en }, zh: { ...zh } };

/** Adds the words of a view that is opened later. */
export function learn(words) {
  for (const language of Object.keys(DICTIONARIES)) Object.assign(DICTIONARIES[language], words[language]);
}

/** The text for a key in the present language, with `{name}` replaced by the value of that name. */
export function t(key, values = {}) {
  const text = DICTIONARIES[language()][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Like `t`, for a key that has one form for exactly one thing and another for any other number. */
export function count(key, n) {
  return t(n === 1 ? `${key}.one` : `${key}.other`, { n });
}

/** The text for a key, or the second text when the dictionaries do not know the key. */
export function known(key, otherwise) {
  return DICTIONARIES[language()][key] ?? otherwise;
}
