// The filter above the dead letters, and the groups that they fall into.
import { get, query } from "../api.js";
import { bounded } from "../format.js";
import { addressOf, STATES } from "../letters.js";
import { useThrottled } from "../listing.js";
import { Refusal, Time } from "../parts.js";
import { setting } from "../settings.js";
import { t } from "../text.js";
import { html, useEffect, useState } from "../ui.js";

/** Groups are counted over all letters, so they are asked for less often than the list. */
const RECOUNT = 5000;
const SHOWN = 5;

export function Search({ filter, groups, problem }) {
  const [typed, setTyped] = useState({});
  const [more, setMore] = useState(Boolean(filter.type || filter.since || filter.until));
  useEffect(() => setTyped({}), [JSON.stringify(filter)]);
  const value = (name) => typed[name] ?? filter[name] ?? "";
  const type = ({ target }) => setTyped((before) => ({ ...before, [target.name]: target.value }));
  const go = (changes) => {
    location.hash = addressOf({ ...filter, ...typed, ...changes });
  };
  const submit = (event) => {
    event.preventDefault();
    go({});
  };
  const zone = setting("clock") === "utc" ? "UTC" : t("clock.local");
  const consumers = [...new Set([...groups.map((group) => group.consumer), ...(filter.consumer ? [filter.consumer] : [])])].sort();
  const choice = (name, options) => html`<label class="field" for=${`letters-${name}`}><span>${t(`letters.${name}`)}</span>
    <select id=${`letters-${name}`} data-testid=${`letters-${name}`} onChange=${(event) => go({ [name]: event.target.value, pattern: "" })}>${options.map(([key, word]) => html`<option key=${key} value=${key} selected=${key === (filter[name] ?? "")}>${word}</option>`)}</select></label>`;
  const field = (name, label, kind = "text") => {
    const wrong = problem?.field?.(name);
    return html`<label class="field" for=${`letters-by-${name}`}><span>${label}</span>
      <input id=${`letters-by-${name}`} name=${name} type=${kind} step=${kind === "datetime-local" ? "1" : undefined} maxlength="200" data-testid=${name === "q" ? "letters-search" : `letters-search-${name}`} value=${value(name)} onInput=${type} spellcheck="false" autocomplete="off" aria-invalid=${wrong ? "true" : undefined} />
      ${wrong && html`<span class="wrong">${wrong}</span>`}</label>`;
  };
  return html`<form class="search letters-search" role="search" aria-label=${t("letters.search")} onSubmit=${submit}>
    ${field("q", t("letters.q"), "search")}
    ${choice("state", STATES.map((state) => [state, t(`letter.state.${state}`)]))}
    ${choice("consumer", [["", t("orders.any")], ...consumers.map((name) => [name, name])])}
    <div class="actions"><button type="submit" class="primary" data-testid="letters-find">${t("orders.find")}</button>
      <a class="button" href="#/letters" data-testid="letters-clear" onClick=${() => setTyped({})}>${t("orders.clear")}</a>
      <button type="button" class="quiet" data-testid="letters-more" aria-expanded=${more} aria-controls="letters-more" onClick=${() => setMore(!more)}>${t("letters.more")}</button></div>
    <div class="more" id="letters-more" hidden=${!more}>${field("type", t("letters.type"))}${field("since", t("letters.since", { zone }), "datetime-local")}${field("until", t("letters.until", { zone }), "datetime-local")}</div>
  </form>`;
}

export function Groups({ filter, groups, problem }) {
  const [all, setAll] = useState(false);
  const chosen = (group) => group.consumer === filter.consumer && group.pattern === filter.pattern;
  const shown = all ? groups : groups.filter((group, i) => i < SHOWN || chosen(group));
  if (problem) return html`<${Refusal} problem=${problem} id="groups-problem" />`;
  if (groups.length === 0) return null;
  return html`<section class="groups" aria-labelledby="groups-title">
    <h2 id="groups-title">${t("letters.groups")}</h2>
    <ul>${shown.map((group, i) => {
      const current = chosen(group);
      const { pattern, consumer, ...others } = filter;
      return html`<li key=${`${group.consumer} ${group.pattern}`}><a class="group" data-testid=${`group-${i}`} aria-current=${current ? "true" : undefined} href=${addressOf(current ? others : { ...others, consumer: group.consumer, pattern: group.pattern })}>
        <b class="n">${bounded(group.count)}</b>
        <code title=${group.consumer}>${group.consumer}</code>
        <bdi class="foreign" title=${group.reason}>${group.pattern || html`<span class="muted">${t("letter.no-reason")}</span>`}</bdi>
        <span class="when"><span class="muted">${t("letters.first")}</span> <${Time} at=${group.first_at} relative=${false} /> <span class="muted">· ${t("letters.last")}</span> <${Time} at=${group.last_at} /></span>
        ${current && html`<span class="word">${t("letters.only-these")}</span>`}
      </a></li>`;
    })}</ul>
    ${(groups.length > shown.length || all) && html`<button type="button" class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? t("sentence.fewer") : t("sentence.more", { n: groups.length - shown.length })}</button>`}
  </section>`;
}

/** All groups of the filter, also when one of them is chosen. They keep their places; new ones come with the next load. */
export function useGroups(filter, changes) {
  const [known, setKnown] = useState({ groups: [], problem: null });
  const { consumer, pattern, ...rest } = filter;
  const path = query("/api/console/letters/groups", rest);
  const name = (group) => JSON.stringify([group.consumer, group.pattern]);
  const load = () => get(path).then(({ groups }) => setKnown({ groups, problem: null }), (problem) => setKnown({ groups: [], problem }));
  useEffect(() => void load(), [path]);
  useThrottled(changes, async () => {
    const answer = await get(path).catch(() => null);
    if (!answer) return;
    const now = new Map(answer.groups.map((group) => [name(group), group]));
    setKnown(({ groups }) => ({ groups: groups.length === 0 ? answer.groups : groups.map((group) => now.get(name(group)) ?? { ...group, count: 0 }), problem: null }));
  }, RECOUNT);
  return { ...known, load };
}
