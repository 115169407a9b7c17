// The one place that knows which library draws: everything else imports from here.
import { h, render, Fragment } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import htm from "htm";

export const html = htm.bind(h);
export { render, Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState };

/** A value that components can watch. `set` tells every watcher, also when the value is the same object. */
export function store(value) {
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const watcher of [...watchers]) watcher(value);
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/** Draws the component again whenever the store tells of a change. */
export function useStore(watched) {
  const [, again] = useState(0);
  useEffect(() => watched.watch(() => again((n) => n + 1)), [watched]);
  return watched.get();
}
