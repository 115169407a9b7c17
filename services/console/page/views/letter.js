// One dead letter: why, where and when it failed, what it is, and what can be done about it.
import { get, post } from "../api.js";
import { useAction } from "../acting.js";
import { dateTime, number } from "../format.js";
import { outcomeOf, stateOf, unsettled, whereabouts } from "../letters.js";
import { useThrottled } from "../listing.js";
import { Empty, NameField, Refusal, State, Time } from "../parts.js";
import { t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { Headers, History, Revisions } from "./letter-about.js";
import { Content } from "./letter-body.js";

/** The outcome of a replay comes with the spans, up to two seconds after it. */
const AGAIN = 1000;
const PATH = "/api/console/letters";

export function LetterView({ state, id, back }) {
  const { letter, problem, again } = useLetter(id, state.frame?.changes?.letters);
  const readonly = state.frame?.readonly;
  const [editing, setEditing] = useState(false);
  return html`<div class="letter">
    <p><a href=${back} data-testid="letters-back">${t("letter.back")}</a></p>
    <header class="view-head"><h1>${t("letter.title")} <code>${id}</code></h1>
      ${letter && html`<p role="status" data-testid="letter-state"><${State} kind=${stateOf(letter).kind}>${stateOf(letter).word}<//>${letter.overtaken && html` <${State} kind="off">${t("letter.overtaken")}<//>`}</p>`}</header>
    ${!letter && !problem && html`<${Empty}>${t("loading")}<//>`}
    <${Refusal} problem=${problem} id="letter-load-problem" />
    ${letter && html`<div class="letter-columns">
        <${About} letter=${letter} />
        <div class="right"><${Repair} letter=${letter} readonly=${readonly} editing=${editing} again=${again} />
          <${History} entries=${letter.history ?? []} /></div>
      </div>
      <${Content} letter=${letter} readonly=${readonly} again=${again} onEditing=${setEditing} />
      <${Revisions} letter=${letter} />
      <${Headers} letter=${letter} />`}
  </div>`;
}

function About({ letter }) {
  const handler = [letter.service, letter.handler].filter(Boolean).join(" / ");
  const rows = [
    ["letter.where", html`<code>${letter.consumer}</code>${handler && html` <span class="muted">${handler}</span>`}`],
    ...whereabouts(letter).map(([key, value]) => [key, html`<code class="foreign">${value}</code>`]),
    ["letter.type", html`<code class="foreign">${letter.message_type ?? "?"}</code>`],
    ["letter.message-id", html`<code class="foreign">${letter.message_id ?? t("letter.no-id")}</code>`],
    ["col.order", letter.order_id ? html`<a href=${`#/orders/${letter.order_id}`}><code>${letter.order_id}</code></a>` : null],
    ["col.version", letter.version],
    ["letter.attempts", t("letter.attempts-in", { n: number(letter.attempts), failures: number(letter.failures) })],
    ["letter.first", html`<${Time} at=${letter.first_at} />`],
    ["letter.last", html`<${Time} at=${letter.last_at} />`],
  ];
  return html`<section class="panel"><h2>${t("letter.why")}</h2>
    <pre class="foreign block why" data-testid="letter-reason" tabindex="0">${letter.reason || t("letter.no-reason")}</pre>
    ${letter.source?.kind === "broker" && html`<p class="muted">${t("letter.by-broker")}</p>`}
    ${letter.cut && html`<p><${State} kind="wait">${t("letter.cut")}<//></p>`}
    <table class="facts"><tbody>${rows.filter(([, value]) => value !== null && value !== undefined).map(([key, value]) => html`<tr key=${key}><th scope="row">${t(key)}</th><td>${value}</td></tr>`)}</tbody></table>
  </section>`;
}

/** What was done, and the buttons for what can be done next. */
function Repair({ letter, readonly, editing, again }) {
  const outcome = outcomeOf(letter.replay);
  return html`<section class="panel repair"><h2>${t("letter.repair")}</h2>
    <div id="letter-outcome" tabindex="-1" data-testid="letter-outcome" aria-live="polite" class="foreign block">
      ${outcome ? html`<${State} kind=${outcome.kind}>${outcome.text}<//>` : letter.state !== "discarded" && html`<span class="muted">${t("letter.never-replayed")}</span>`}
      ${letter.state === "discarded" && letter.discarded && html`<p>${t("letter.discarded", { by: letter.discarded.by, at: dateTime(letter.discarded.at) })} ${letter.discarded.reason}</p>`}
    </div>
    ${readonly ? html`<p class="reason">${t("off.readonly")}</p>` : html`<${Buttons} letter=${letter} editing=${editing} again=${again} />`}
  </section>`;
}

function Buttons({ letter, editing, again }) {
  const { busy, problem, nameless, act } = useAction("letter-name");
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState(false);
  const [stays, setStays] = useState(false);
  const open = letter.state === "open";
  const one = { letters: [letter.id] };
  const run = async (request) => {
    const answer = await act(request);
    if (answer !== undefined) {
      setReason("");
      setStays(answer?.count === 0);
      // The button that was pressed goes away.
      document.getElementById("letter-outcome")?.focus();
    }
    // Also after a refusal: somebody else may have been quicker, and the page should say what they did.
    again();
  };
  const discard = (event) => {
    event.preventDefault();
    setWrong(reason.trim() === "");
    if (reason.trim() === "") return document.getElementById("letter-reason-field")?.focus();
    return run((by) => post(`${PATH}/discard`, { by, reason: reason.trim(), ...one }));
  };
  const sends = letter.revision > 0 ? t("letter.sends-revision", { n: letter.revision }) : t("letter.sends-original");
  const why = !letter.target ? "letter.no-target" : editing ? "letter.save-first" : !letter.message_id || !letter.message_type ? "letter.incomplete" : null;
  const idle = why ? t(why) : letter.overtaken ? t("letter.overtaken-why") : t("letter.to", { target: letter.target, what: sends });
  return html`${(open || letter.state === "discarded") && html`<${NameField} id="letter-name" refused=${nameless} />`}
    ${open && html`<p class="muted">${idle}</p>
    <div class="actions"><button type="button" class=${letter.overtaken ? "" : "primary"} data-testid="letter-replay" disabled=${busy || why !== null} onClick=${() => run((by) => post("/api/console/replays", { by, ...one }))}>${t(letter.overtaken ? "letter.replay-anyway" : "letter.replay")}</button></div>
    <form class="one" onSubmit=${discard}>
      <label class="field" for="letter-reason-field"><span>${t("letters.reason")}</span>
        <input id="letter-reason-field" data-testid="letters-reason" maxlength="500" autocomplete="off" value=${reason} aria-invalid=${wrong ? "true" : undefined} onInput=${(event) => setReason(event.target.value)} />
        ${wrong && html`<span class="wrong" role="alert">${t("letters.type-reason")}</span>`}</label>
      <button type="submit" class=${letter.overtaken ? "primary" : ""} data-testid="letter-discard" disabled=${busy}>${t("letter.discard")}</button>
    </form>`}
    ${letter.state === "discarded" && html`<div class="actions"><button type="button" data-testid="letter-restore" disabled=${busy} onClick=${() => run((by) => post(`${PATH}/restore`, { by, ...one }))}>${t("letter.restore")}</button></div>
    ${stays && html`<p class="reason" role="status">${t("letter.stays-discarded")}</p>`}`}
    <${Refusal} problem=${problem} id="letter-problem" />`;
}

function useLetter(id, changes) {
  const [known, setKnown] = useState({ letter: null, problem: null });
  const alive = useRef(true);
  const timer = useRef(null);
  const ask = async () => {
    clearTimeout(timer.current);
    try {
      const letter = await get(`${PATH}/${encodeURIComponent(id)}`);
      if (!alive.current) return;
      setKnown({ letter, problem: null });
      clearTimeout(timer.current);
      if (unsettled(letter)) timer.current = setTimeout(ask, AGAIN);
    } catch (problem) {
      if (alive.current) setKnown((before) => ({ ...before, problem }));
    }
  };
  useEffect(() => {
    alive.current = true;
    ask();
    return () => {
      alive.current = false;
      clearTimeout(timer.current);
    };
  }, [id]);
  useThrottled(changes, ask);
  return { ...known, again: ask };
}
