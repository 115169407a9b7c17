// Dead letters: the groups, a list that keeps still, what is chosen of it, and the jobs that replay.
import { bringFile, get, query } from "../api.js";
import { number, shortId } from "../format.js";
import { filterOf, outcomeOf, stateOf } from "../letters.js";
import { useListing } from "../listing.js";
import { Empty, NameField, Refusal, State, Time } from "../parts.js";
import { renewed } from "../renewed.js";
import { shortType } from "../timeline.js";
import { learn, t } from "../text.js";
import { lettersEn } from "../text/letters-en.js";
import { lettersZh } from "../text/letters-zh.js";
import { html, store, useEffect, useState, useStore } from "../ui.js";
import { Jobs } from "./jobs.js";
import { Actions } from "./letter-actions.js";
import { Groups, Search, useGroups } from "./letter-search.js";
import { LetterView } from "./letter.js";
import { wanted } from "./search.js";

learn({ en: lettersEn, zh: lettersZh });

const LIMIT = 50;
/** The server answers no more at once; a longer look finds more of the rows that are shown. */
const LOOK = 100;

/** What is chosen, over all pages and filters: the newest known row of each id. */
const chosen = store(new Map());
/** The list that was left for a letter, so that its way back leads there. */
let left = "#/letters";

export function LettersView({ state, route }) {
  if (route.rest) return html`<${LetterView} state=${state} id=${route.rest} back=${left} key=${route.rest} />`;
  return html`<${Office} state=${state} filter=${filterOf(route.search)} />`;
}

function Office({ state, filter }) {
  const asked = wanted(new URLSearchParams(filter));
  const changes = state.frame?.changes?.letters;
  const groups = useGroups(asked, changes);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    left = location.hash;
  });
  return html`<div class="letters">
    <header class="view-head"><h1>${t("letters.title")}</h1>
      <a class="button quiet" data-testid="letters-export" href=${query("/api/console/letters/export", asked)} data-file="dead-letters.jsonl" onClick=${bringFile} download>${t("letters.export")}</a></header>
    <${Search} filter=${filter} groups=${groups.groups} problem=${problem} />
    <${Groups} filter=${filter} groups=${groups.groups} problem=${problem ? null : groups.problem} />
    <div class="letters-columns">
      <${List} state=${state} filter=${filter} asked=${asked} changes=${changes} onProblem=${setProblem} onLoad=${groups.load} key=${JSON.stringify(asked)} />
      <${Jobs} state=${state} />
    </div>
  </div>`;
}

function List({ state, filter, asked, changes, onProblem, onLoad }) {
  const list = useListing((before) => ask(asked, before, LIMIT), changes, (rows, before) => renew(asked, rows, before));
  const selection = useStore(chosen);
  const [all, setAll] = useState(null);
  useEffect(() => onProblem(list.problem), [list.problem]);
  const rows = list.rows ?? [];
  const newest = () => {
    onLoad();
    return list.newest();
  };
  const choose = (letters, on) => {
    const next = new Map(chosen.get());
    for (const letter of letters) on ? next.set(letter.id, letter) : next.delete(letter.id);
    setAll(null);
    chosen.set(next);
  };
  // What was chosen a while ago may have been overtaken since.
  const current = new Map([...selection].map(([id, letter]) => [id, rows.find((row) => row.id === id) ?? letter]));
  const filtered = Object.keys(filter).some((name) => name !== "state");
  const fresh = list.fresh >= LOOK ? `${LOOK}+` : list.fresh;
  return html`<section class="letters-list" aria-label=${t("letters.title")}>
    ${list.rows?.length !== 0 && html`<${Actions} state=${state} filter=${asked} rows=${rows} count=${list.count} more=${list.count_is_more} chosen=${current} choose=${choose} clear=${() => choose([...selection.values()], false)} all=${all} setAll=${setAll} again=${list.again}>
      <button type="button" class="pill" data-testid="letters-new" hidden=${list.fresh === 0} onClick=${newest}>${t("letters.new", { n: fresh })}</button>
    <//>`}
    <${Refusal} problem=${list.problem} id="letters-list-problem" />
    ${rows.length > 0 && html`<table class="letter-table stack" data-testid="letters">
      <thead><tr><th scope="col"><span class="unseen">${t("letters.choose")}</span></th><th scope="col">${t("letter.reason")}</th><th scope="col">${t("letter.what")}</th><th scope="col" class="n">${t("letter.attempts")}</th><th scope="col">${t("letter.last")}</th><th scope="col">${t("letter.state")}</th></tr></thead>
      <tbody>${rows.map((letter) => html`<${Row} key=${letter.id} letter=${letter} on=${Boolean(all) || selection.has(letter.id)} all=${all} readonly=${state.frame?.readonly} choose=${choose} />`)}</tbody>
    </table>`}
    ${!list.rows && !list.problem && html`<${Empty}>${t("loading")}<//>`}
    ${list.rows?.length === 0 && html`<${Nothing} filtered=${filtered} open=${filter.state === "open"} />
      ${!state.frame?.readonly && state.frame?.letters?.jobs.length > 0 && html`<${NameField} id="letters-name" />`}`}
    ${(rows.length > 0 || !list.first) && html`<nav class="pager" aria-label=${t("orders.pages")}>
      <button type="button" data-testid="letters-newest" disabled=${list.first} onClick=${newest}>${t("orders.newest")}</button>
      <button type="button" data-testid="letters-older" disabled=${!list.next} onClick=${list.older}>${t("orders.older")}</button>
    </nav>`}
  </section>`;
}

function Nothing({ filtered, open }) {
  if (filtered || !open) return html`<div data-testid="letters-empty"><${Empty}>${t("letters.none-found")}<//></div>`;
  return html`<div data-testid="letters-empty"><${Empty}>${t("letters.none")} <a href="#/break">${t("nav.break")}</a><//></div>`;
}

function Row({ letter, on, all, readonly, choose }) {
  const { kind, word } = stateOf(letter);
  const outcome = outcomeOf(letter.replay);
  const name = `${shortId(letter.id)}: ${letter.reason.slice(0, 80)}`;
  return html`<tr data-testid=${`letter-row-${letter.id}`} data-left=${letter.left} data-on=${on}>
    <td class="choice">${!readonly && html`<input type="checkbox" data-testid=${`select-${letter.id}`} checked=${on} disabled=${Boolean(all)} aria-label=${t("letters.choose-one", { name })} onChange=${(event) => choose([letter], event.target.checked)} />`}</td>
    <td class="why"><a data-testid=${`letter-link-${letter.id}`} href=${`#/letters/${letter.id}`}><bdi class="foreign clamp">${letter.reason || t("letter.no-reason")}</bdi></a> <code class="muted">${letter.consumer}</code></td>
    <td data-label=${t("letter.what")}><span><bdi class="foreign">${letter.message_type ? shortType(letter.message_type) : "?"}</bdi>${letter.order_id && html`<br /><span class="muted">${t("col.order")} <code title=${letter.order_id}>${shortId(letter.order_id)}</code></span>`}</span></td>
    <td class="n" data-label=${t("letter.attempts")}>${number(letter.attempts)}</td>
    <td data-label=${t("letter.last")}><${Time} at=${letter.last_at} /></td>
    <td data-label=${t("letter.state")}><span class="outcome"><${State} kind=${kind}>${word}<//>${letter.overtaken && letter.state === "open" && html`<br /><${State} kind="off">${t("letter.overtaken")}<//>`}${outcome && html`<br /><span class="muted foreign">${outcome.text}</span>`}</span></td>
  </tr>`;
}

async function ask(asked, before, limit) {
  const { letters, ...others } = await get(query("/api/console/letters", { ...asked, limit, before }));
  return { ...others, rows: letters };
}

/** A letter that no longer matches stays in its place and says what became of it: it is looked for among all. */
async function renew(asked, shown, before) {
  const answer = await ask(asked, before, LOOK);
  const { rows, fresh, missing } = renewed(shown, answer);
  const found = new Set(answer.rows.map((row) => row.id));
  const others = asked.state === "all" || rows.every((row) => found.has(row.id)) ? null : await ask({ ...asked, state: "all" }, before, LOOK);
  const known = new Map((others?.rows ?? []).map((row) => [row.id, row]));
  const next = rows.map((row) => (found.has(row.id) ? row : { ...(known.get(row.id) ?? row), left: missing.has(row.id) || (known.has(row.id) && known.get(row.id).state !== asked.state) }));
  return { rows: next, fresh: before ? 0 : fresh, count: answer.count, count_is_more: answer.count_is_more };
}
