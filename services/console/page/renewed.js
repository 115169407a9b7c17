// What a newer answer says about the rows that are shown already.

/**
 * The rows in their places with their new values; `fresh`: how many have come before them;
 * `missing`: the ids of those that the answer would have if they still belonged to it.
 */
export function renewed(shown, answer) {
  const newer = new Map(answer.rows.map((row) => [row.id, row]));
  const ids = new Set(shown.map((row) => row.id));
  const first = answer.rows.findIndex((row) => ids.has(row.id));
  const last = shown.findLastIndex((row) => newer.has(row.id));
  const missing = shown.filter((row, i) => !newer.has(row.id) && (i < last || !answer.next));
  return {
    rows: shown.map((row) => newer.get(row.id) ?? row),
    fresh: first < 0 ? answer.rows.length : first,
    missing: new Set(missing.map((row) => row.id)),
  };
}
