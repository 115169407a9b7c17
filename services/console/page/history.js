// One number a second for the charts: what the server remembers, continued from the frames.
import { get, query } from "./api.js";
import { live } from "./frames.js";
import { append, SERIES } from "./series.js";
import { useEffect, useRef, useState } from "./ui.js";

/** After a gap this long, in seconds, the server is asked again what happened meanwhile. */
const GAP = 3;

/** The rows of the window: `{at: [epoch seconds], arrived: [...], ...}`, a new object once a second. */
export function useHistory(seconds) {
  const rows = useRef(empty());
  const [shown, setShown] = useState(rows.current);
  useEffect(() => {
    let asking = false;
    let asked = null;
    let ended = false;
    const ask = async () => {
      asking = true;
      try {
        const answer = await get(query("/api/console/history", { queue: "inventory.stock-commands", seconds }));
        if (ended) return;
        rows.current = pick(answer);
        setShown({ ...rows.current });
      } catch {
        // The chart then begins with the next frame.
        if (rows.current.at.length === 0) rows.current = empty();
      } finally {
        asking = false;
      }
    };
    const forget = live.watch(({ frame }) => {
      if (!frame || asking) return;
      const at = Date.parse(frame.at) / 1000;
      const last = rows.current.at.at(-1);
      if (last !== undefined && at - last < 1) return;
      if (last !== undefined && at - last > GAP && asked !== last) {
        // Asked once for each gap: a server without history must not be asked four times a second.
        asked = last;
        ask();
        return;
      }
      append(rows.current, at, frame, seconds);
      setShown({ ...rows.current });
    });
    ask();
    return () => {
      ended = true;
      forget();
    };
  }, [seconds]);
  return shown;
}

function empty() {
  return Object.fromEntries(["at", ...SERIES].map((name) => [name, []]));
}

function pick(answer) {
  const length = answer.at.length;
  return Object.fromEntries(["at", ...SERIES].map((name) => [name, answer[name] ?? new Array(length).fill(null)]));
}
