// What can be done with what is chosen of the list: replay, discard, and take the discarding back.
import { get, post, query } from "../api.js";
import { useAction } from "../acting.js";
import { bounded, number } from "../format.js";
import { serverNow } from "../frames.js";
import { MOST, taken, UNASKED } from "../letters.js";
import { NameField, Refusal } from "../parts.js";
import { t } from "../text.js";
import { html, useState } from "../ui.js";

const RATE = 10;

export function Actions(props) {
  if (props.state.frame?.readonly) return html`<div class="actions choosing"><p class="reason" data-testid="letters-readonly">${t("off.readonly")}</p>${props.children}</div>`;
  return html`<${Bar} ...${props} />`;
}

function Bar({ state, filter, rows, count, more, chosen, choose, clear, all, setAll, again, children }) {
  const { busy, problem, nameless, act } = useAction("letters-name");
  const [rate, setRate] = useState(RATE);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [overtaken, setOvertaken] = useState(false);
  const [wrong, setWrong] = useState(null);
  const [done, setDone] = useState(null);
  const n = all ? all.count : chosen.size;
  const late = all ? 0 : [...chosen.values()].filter((letter) => letter.overtaken).length;
  const elsewhere = all ? 0 : [...chosen.keys()].filter((id) => !rows.some((row) => row.id === id)).length;
  const discarded = all ? [] : [...chosen].filter(([, letter]) => letter.state === "discarded").map(([id]) => id);

  /** The set is what matched at this moment: its newest time goes with the filter. */
  const match = () => act(async () => {
    const until = filter.until ?? new Date(serverNow(state)).toISOString();
    const answer = await get(query("/api/console/letters", { ...filter, until, limit: 1 }));
    setAll({ filter: { ...filter, until }, count: answer.count, more: answer.count_is_more });
    setTyped("");
  });
  const confirmed = (wanted, id) => {
    if (all?.more) return refuse("letters-expected", t("letters.too-many-match"));
    if (!all && n > MOST) return refuse("letters-expected", t("letters.too-many", { n: number(MOST) }));
    if (n > UNASKED && typed.trim() !== String(n)) return refuse("letters-expected", t("letters.type-number", { n: number(n) }));
    if (wanted === "") return refuse(id, t("letters.type-reason"));
    setWrong(null);
    return true;
  };
  const refuse = (id, says) => {
    setWrong({ id, says });
    document.getElementById(id)?.focus();
    return false;
  };
  /** What was done, and what was not, because the server takes of a set only what it can. */
  const says = (key, count, others, asked) => [t(key, { n: number(count) }), count < asked && t(others, { n: number(asked - count) })].filter(Boolean).join(" ");
  const run = async (request, answered) => {
    const answer = await act(request);
    if (answer === undefined) return;
    setDone(answered(answer));
    setTyped("");
    setAll(null);
    clear();
    again();
  };
  const replay = (event) => {
    event.preventDefault();
    const letters = all ? null : taken(chosen, overtaken);
    if (letters?.length === 0) return refuse("letters-overtaken", t("letters.all-overtaken"));
    if (!confirmed()) return;
    const set = all ? { filter: all.filter, expected: all.count } : { letters };
    run((by) => post("/api/console/replays", { by, rate: Number(rate), ...set }), (job) => ({ text: says("letters.begun", job.total, "letters.left-out", letters?.length ?? n) }));
  };
  const discard = (event) => {
    event.preventDefault();
    if (!confirmed(reason.trim(), "letters-reason")) return;
    const letters = [...chosen.keys()];
    const open = [...chosen].filter(([, letter]) => letter.state === "open").map(([id]) => id);
    const set = all ? { filter: all.filter, expected: all.count } : { letters };
    run((by) => post("/api/console/letters/discard", { by, reason: reason.trim(), ...set }), ({ count: gone }) => {
      setReason("");
      return { text: says("letters.discarded", gone, "letters.not-open", n), undo: gone === 0 ? null : all ? { filter: { ...all.filter, state: "discarded" }, expected: gone } : { letters: open } };
    });
  };
  const restore = (set) => {
    const asked = set.letters?.length ?? set.expected;
    if (set.letters && asked > MOST) return refuse("letters-expected", t("letters.too-many", { n: number(MOST) }));
    return run((by) => post("/api/console/letters/restore", { by, ...set }), ({ count: back }) => ({ text: says("letters.restored", back, "letters.stay-discarded", asked) }));
  };

  const nothing = n === 0;
  const hint = (id) => wrong?.id === id && html`<span class="wrong" role="alert">${wrong.says}</span>`;
  const page = rows.length > 0 && rows.every((row) => chosen.has(row.id));
  return html`<section class="panel act" aria-label=${t("letters.act")}>
    <div class="actions choosing">
      <label class="check"><input type="checkbox" data-testid="select-page" checked=${page || Boolean(all)} disabled=${rows.length === 0 || Boolean(all)} onChange=${(event) => choose(rows, event.target.checked)} /> ${t("letters.page")}</label>
      ${filter.state !== "open" && rows.length > 0 && html`<span class="muted" data-testid="letters-count">${t("letters.count", { n: more ? bounded(10_001) : number(count) })}</span>`}
      ${filter.state === "open" && html`<button type="button" class="quiet" data-testid="select-all" aria-pressed=${Boolean(all)} disabled=${busy || !count} onClick=${all ? () => setAll(null) : match}>${t("letters.all", { n: all ? number(all.count) : more ? bounded(10_001) : number(count) })}</button>`}
      <span role="status" data-testid="letters-selected">${nothing ? html`<span class="muted">${t("letters.nothing")}</span>` : html`<b>${t("letters.selected", { n: number(n) })}</b>${elsewhere > 0 && html` <span class="muted">${t("letters.elsewhere", { n: number(elsewhere) })}</span>`}`}</span>
      ${!nothing && html`<button type="button" class="quiet" data-testid="letters-clear-selection" onClick=${() => { setAll(null); clear(); }}>${t("letters.clear")}</button>`}
      ${children}
    </div>
    <div class="acts">
      <${NameField} id="letters-name" refused=${nameless} />
      ${n > UNASKED && html`<label class="field" for="letters-expected"><span>${t("letters.expected", { n: number(n) })}</span>
        <input id="letters-expected" data-testid="letters-expected" inputmode="numeric" autocomplete="off" value=${typed} aria-invalid=${wrong?.id === "letters-expected" ? "true" : undefined} onInput=${(event) => setTyped(event.target.value)} />${hint("letters-expected")}</label>`}
      <form class="one" onSubmit=${replay}>
        <label class="field" for="letters-rate"><span>${t("letters.rate")}</span>
          <span class="with-unit"><input id="letters-rate" data-testid="letters-rate" type="number" min="1" max="10000" required value=${rate} onInput=${(event) => setRate(event.target.value)} /> /s</span></label>
        <button type="submit" class="primary" data-testid="letters-replay" disabled=${nothing || busy}>${t("letter.replay")}</button>
      </form>
      <form class="one grow" onSubmit=${discard}>
        <label class="field" for="letters-reason"><span>${t("letters.reason")}</span>
          <input id="letters-reason" data-testid="letters-reason" maxlength="500" autocomplete="off" value=${reason} aria-invalid=${wrong?.id === "letters-reason" ? "true" : undefined} onInput=${(event) => setReason(event.target.value)} />${hint("letters-reason")}</label>
        <button type="submit" data-testid="letters-discard" disabled=${nothing || busy}>${t("letter.discard")}</button>
      </form>
      ${discarded.length > 0 && html`<button type="button" data-testid="letters-restore" disabled=${busy} onClick=${() => restore({ letters: discarded })}>${t("letter.restore")}</button>`}
    </div>
    ${late > 0 && html`<label class="check late"><input id="letters-overtaken" type="checkbox" data-testid="letters-overtaken" checked=${overtaken} onChange=${(event) => setOvertaken(event.target.checked)} /> <span>${t("letters.overtaken", { n: number(late) })} ${hint("letters-overtaken")}</span></label>`}
    ${all && html`<p class="muted late">${t("letters.all-means")}</p>`}
    <${Refusal} problem=${problem} id="letters-problem" />
    <p class="done" role="status" data-testid="letters-done">${done?.text}${done?.undo && html` <button type="button" class="quiet" data-testid="letters-undo" disabled=${busy} onClick=${() => restore(done.undo)}>${t("letters.undo")}</button>`}</p>
  </section>`;
}
