// A page of a list that keeps still: what arrives later only counts, until somebody asks for it.
import { throttle } from "./throttle.js";
import { useEffect, useRef, useState } from "./ui.js";

/** Changes are looked up at most this often, however many there are. */
const REFRESH = 1000;

/**
 * `ask(before)` answers `{ rows, next }` and whatever else belongs to the page, newest first.
 * `renew(rows, before)` answers what has changed about the rows that are shown, `fresh` among it.
 */
export function useListing(ask, changes, renew) {
  const [page, setPage] = useState({ rows: null, next: null, before: null, fresh: 0, problem: null });
  const current = useRef(page);
  const show = (changed) => {
    current.current = { ...current.current, ...changed };
    setPage(current.current);
  };
  const load = async (before) => {
    try {
      show({ ...(await ask(before)), before, fresh: 0, problem: null });
    } catch (problem) {
      show({ problem });
    }
  };
  const again = async () => {
    const { rows, before } = current.current;
    if (!rows || rows.length === 0) return load(null);
    const changed = await renew(rows, before).catch(() => null);
    // The page may have been turned meanwhile.
    if (changed && current.current.rows === rows) show({ ...changed, problem: null });
  };
  useEffect(() => void load(null), []);
  useThrottled(changes, again);
  return {
    ...page,
    first: page.before === null && page.fresh === 0,
    newest: () => load(null),
    older: () => load(current.current.next),
    again,
  };
}

/** Calls when the value has changed: at once, but not more often than once in that many milliseconds, and once more at the end. */
export function useThrottled(value, call, every = REFRESH) {
  const seen = useRef(value);
  const newest = useRef(call);
  const throttled = useRef(null);
  newest.current = call;
  useEffect(() => {
    if (value === undefined || value === seen.current) return;
    seen.current = value;
    throttled.current ??= throttle(() => newest.current(), every);
    throttled.current.want();
  }, [value]);
  useEffect(() => () => throttled.current?.stop(), []);
}
