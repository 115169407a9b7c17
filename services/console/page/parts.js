// Small pieces that every view uses.
import { behind } from "./behind.js";
import { serverNow } from "./frames.js";
import { ago, bounded, clock, dateTime, duration, preciseClock } from "./format.js";
import { choose, setting } from "./settings.js";
import { known, t } from "./text.js";
import { html, useState } from "./ui.js";

/** A time of day older than this, in milliseconds, could be taken for one of today. */
const TODAY = 20 * 3_600_000;

/** A time: absolute, with how long ago beside it, and the date on hover. */
export function Time({ at, precise = false, relative = true }) {
  if (!at) return html`<span class="unknown">?</span>`;
  const old = serverNow() - Date.parse(at) > TODAY;
  const text = precise ? preciseClock(at) : old ? dateTime(at) : clock(at);
  return html`<time datetime=${at} title=${dateTime(at)}>${text}${relative && html` <span class="muted">${ago(at, serverNow())}</span>`}</time>`;
}

/** A number with its name; where it is from and from when is said on hover. */
export function Figure({ label, value, source, at, testid, word, kind }) {
  const title = [source, at && dateTime(at)].filter(Boolean).join(" · ");
  return html`<div class="figure-tile" title=${title} data-kind=${kind}>
    <dt>${label}</dt>
    <dd data-testid=${testid}>${value}${word && html` <span class="word">${word}</span>`}</dd>
  </div>`;
}

/** What is shown of orders is not all that has happened to them. */
export function Behind({ frame }) {
  const left = behind(frame);
  return html`<span class="muted" data-testid="orders-behind" hidden=${!left} title=${`${t("source.counters")} · ${dateTime(frame?.at)}`}>${left && t("orders.behind", { n: bounded(left.lag), age: duration(left.age_s) })}</span>`;
}

/** Why a request was refused, where it was pressed. */
export function Refusal({ problem, id }) {
  return html`<p class="refusal" role="alert" id=${id} data-testid=${id}>${problem && html`<span aria-hidden="true">✕ </span>${says(problem)}${fields(problem)}`}</p>`;
}

/** The fields that were wrong, for forms that do not show them at the field. */
function fields(problem) {
  const wrong = problem.errors ?? [];
  return wrong.length === 0 ? "" : ` (${wrong.map((e) => `${e.field}: ${e.message}`).join("; ")})`;
}

function says(problem) {
  if (problem.status === 0) return t("problem.network");
  return problem.message || known(`problem.${problem.status}`, problem.title);
}

/** A command to type, with a button that copies it. */
export function Command({ text, testid }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      // Without permission for the clipboard the text can still be selected.
    }
  };
  return html`<span class="command"><code data-testid=${testid}>${text}</code>
    <button type="button" class="quiet" onClick=${copy} aria-label=${`${t("copy")}: ${text}`}>${copied ? t("copied") : t("copy")}</button></span>`;
}

/** Who is at the page: typed once, sent with every action that others will see. */
export function NameField({ id, refused }) {
  return html`<label class="field" for=${id}>
    <span>${t("name.label")}</span>
    <input id=${id} data-testid="name" maxlength="60" autocomplete="nickname" value=${setting("name")} aria-invalid=${refused ? "true" : undefined}
      placeholder=${t("name.placeholder")} onInput=${(event) => choose({ name: event.target.value })} />
    ${refused && html`<span class="wrong">${t("name.missing")}</span>`}
  </label>`;
}

/** A word for a state with a shape before it, so that it is not told by colour alone. */
export function State({ kind, children }) {
  return html`<span class="state" data-kind=${kind}>${children}</span>`;
}

/** The status of an order. */
export function Status({ status }) {
  const kind = { pending: "wait", confirmed: "info", paid: "ok", rejected: "error", cancelled: "off" }[status] ?? "off";
  return html`<${State} kind=${kind}>${known(`status.${status}`, status)}<//>`;
}

/** What a list says when there is nothing in it, and what to do about it. */
export function Empty({ children }) {
  return html`<p class="empty">${children}</p>`;
}
