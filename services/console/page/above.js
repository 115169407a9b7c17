// What stands above every view: what is stuck, and what somebody has broken on purpose.
import { remove } from "./api.js";
import { clock, dateTime, duration, secondsUntil } from "./format.js";
import { elapsed, serverNow } from "./frames.js";
import { Command, Refusal, State } from "./parts.js";
import { sentence } from "./sentence.js";
import { t } from "./text.js";
import { admin, takeToken } from "./token.js";
import { html, useState, useStore } from "./ui.js";

/** More than this would push the view off the screen. */
const SHOWN = 3;

export function Sentences({ state }) {
  const [all, setAll] = useState(false);
  const { frame } = state;
  if (!frame) return html`<section class="sentences" aria-label=${t("sentence.label")} data-level="none"><p class="sentence" data-testid="sentence">${t(state.lost ? "sentence.lost" : "sentence.connecting")}</p></section>`;
  const sentences = frame.sentences ?? [];
  if (sentences.length === 0) {
    // Silence of a console that cannot see its brokers does not mean that all is well.
    const seen = frame.brokers?.rabbitmq?.up && frame.brokers?.kafka?.up;
    return html`<section class="sentences" aria-label=${t("sentence.label")} data-level=${seen ? "ok" : "none"} aria-live="polite">
      <p class="sentence" data-testid="sentence"><${State} kind=${seen ? "ok" : "off"}>${t(seen ? "sentence.fine" : "sentence.dark")}<//></p>
    </section>`;
  }
  const shown = all ? sentences : sentences.slice(0, SHOWN);
  const hidden = sentences.length - shown.length;
  return html`<section class="sentences" aria-label=${t("sentence.label")} data-level=${sentences[0].level}>
    <ol data-testid="sentence">${shown.map((s, i) => html`<${Sentence} key=${`${s.reason} ${s.service} ${s.subject}`} s=${s} i=${i} state=${state} />`)}</ol>
    ${(hidden > 0 || all) && html`<button type="button" class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? t("sentence.fewer") : t("sentence.more", { n: hidden })}</button>`}
  </section>`;
}

function Sentence({ s, i, state }) {
  const text = sentence(s, serverNow(state), elapsed(state) / 1000);
  // The name of a queue or topic is set apart, wherever a language puts it.
  const [before, ...after] = text.split(s.subject);
  const rest = after.join(s.subject);
  return html`<li class=${i === 0 ? "sentence" : "sentence further"} data-level=${s.level} data-reason=${s.reason} data-testid=${`sentence-${i}`} title=${s.since ? t("since.title", { at: dateTime(s.since) }) : undefined}>
    <${State} kind=${{ error: "error", warning: "wait" }[s.level] ?? "info"}>${after.length > 0 ? html`${before}<code>${s.subject}</code>${rest}` : text}<//>
    ${s.order_id && html` <a href=${`#/orders/${s.order_id}`}>${t("sentence.show-order")}</a>`}
    ${s.command && html` <${Command} text=${s.command} />`}
  </li>`;
}

/** Who has broken what until when, on every view. */
export function Banner({ state }) {
  const controls = state.frame?.controls ?? [];
  if (controls.length === 0) return null;
  return html`<section class="banner" aria-label=${t("control.active")} data-testid="controls-banner">
    <ul>${controls.map((control) => html`<${Active} key=${control.service} control=${control} state=${state} />`)}</ul>
  </section>`;
}

function Active({ control, state }) {
  const [problem, setProblem] = useState(null);
  const end = () => remove(`/api/console/controls/${encodeURIComponent(control.service)}`).then(() => setProblem(null), setProblem);
  const left = secondsUntil(control.until, serverNow(state));
  return html`<li data-testid=${`active-${control.service}`}>
    <span>${t("control.says", { service: control.service, what: what(control), by: control.by, until: clock(control.until), left: duration(Math.ceil(left)) })}</span>
    ${!state.frame.readonly && html` <button type="button" class="quiet" data-testid=${`end-${control.service}`} onClick=${end}>${t("control.end")}<span class="unseen"> (${control.service})</span></button>`}
    ${problem && html`<${Refusal} problem=${problem} />`}
  </li>`;
}

/** What a control does, in words. */
export function what(control) {
  const parts = [];
  if (control.pause) parts.push(t("control.is-paused"));
  if (control.slow_ms > 0) parts.push(t("control.is-slow", { ms: control.slow_ms }));
  if (control.fail_percent > 0) parts.push(t("control.is-failing", { percent: control.fail_percent, kind: t(`fail.${control.fail_kind}`) }));
  if (control.refuse_email) parts.push(t("control.is-refusing"));
  return parts.join(t("sentence.comma")) || t("control.is-normal");
}

/** Asks for the admin token once a service has refused something for want of it. */
export function Token() {
  const { token, refused } = useStore(admin);
  if (!refused) return null;
  const take = (event) => {
    event.preventDefault();
    const typed = event.currentTarget.elements.token.value.trim();
    // The views ask again for what they were refused.
    if (typed !== "" && takeToken(typed)) location.reload();
  };
  return html`<form class="banner" onSubmit=${take} aria-label=${t("token.label")}>
    <label class="field row" for="admin-token"><span>${t("token.label")}</span>
      <input id="admin-token" name="token" type="password" autocomplete="current-password" data-testid="admin-token" required aria-describedby="admin-token-why" /></label>
    <button type="submit" data-testid="admin-token-use">${t("token.use")}</button>
    <span id="admin-token-why" role="alert">${t(token === "" ? "token.needed" : "token.wrong")}</span>
  </form>`;
}
