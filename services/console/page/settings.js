// What somebody chose once for the whole page. It is kept in the browser, and nowhere else.

const KEY = "spillway-console";
const DEFAULTS = { lang: null, theme: "auto", clock: "local", name: "", email: "ada@example.org" };

const watchers = new Set();
let current = { ...DEFAULTS, ...stored() };

/** The language that is shown: the chosen one, else the first that the browser prefers and we have. */
export function language() {
  if (current.lang) return current.lang;
  const preferred = globalThis.navigator?.languages ?? [];
  for (const tag of preferred) {
    if (tag.toLowerCase().startsWith("zh")) return "zh";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

export function setting(name) {
  return current[name];
}

export function choose(changes) {
  current = { ...current, ...changes };
  try {
    globalThis.localStorage?.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that refuses storage still obeys the choice until the page is left.
  }
  apply();
  for (const watcher of [...watchers]) watcher(current);
}

/** The same shape as a store, so that components can watch it. */
export const settings = {
  get: () => current,
  watch(watcher) {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  },
};

/** Tells the document which language and which theme it has. */
export function apply() {
  const root = globalThis.document?.documentElement;
  if (!root) return;
  root.lang = language() === "zh" ? "zh-CN" : "en";
  if (current.theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = current.theme;
}

function stored() {
  try {
    return JSON.parse(globalThis.localStorage?.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return {};
  }
}
