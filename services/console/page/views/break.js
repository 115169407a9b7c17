// Break things: what each service shall do wrong for a while, for all of its instances.
import { put, remove } from "../api.js";
import { what } from "../above.js";
import { clock, duration, secondsUntil } from "../format.js";
import { serverNow } from "../frames.js";
import { NameField, Refusal, State } from "../parts.js";
import { setting } from "../settings.js";
import { t } from "../text.js";
import { html, useState } from "../ui.js";

const SERVICES = ["order", "inventory", "notification"];
const NORMAL = { pause: false, slow_ms: 0, fail_percent: 0, fail_kind: "transient", refuse_email: false, seconds: 60 };

export function BreakView({ state }) {
  const [nameless, setNameless] = useState(false);
  const { frame } = state;
  const reason = frame?.readonly ? t("off.readonly") : frame && !frame.demo ? t("off.demo") : null;
  return html`<div class="break">
    <header class="view-head"><h1>${t("break.title")}</h1></header>
    <p class="muted">${t("break.what")}</p>
    ${reason && html`<p class="reason" role="status" data-testid="break-reason"><${State} kind="off">${reason}<//></p>`}
    <div class="who"><${NameField} id="break-name" refused=${nameless && setting("name").trim() === ""} /></div>
    <div class="cards">${SERVICES.map((service) => html`<${Card} key=${service} service=${service} state=${state} off=${Boolean(reason)} nameless=${setNameless} />`)}</div>
  </div>`;
}

function Card({ service, state, off, nameless }) {
  const [wish, setWish] = useState(NORMAL);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const active = (state.frame?.controls ?? []).find((control) => control.service === service);
  const path = `/api/console/controls/${service}`;
  const id = (name) => `control-${service}-${name}`;
  const change = (name) => (event) => setWish({ ...wish, [name]: event.target.type === "checkbox" ? event.target.checked : event.target.value });
  const act = async (request) => {
    setBusy(true);
    try {
      await request();
      setProblem(null);
    } catch (refused) {
      setProblem(refused);
    } finally {
      setBusy(false);
    }
  };
  const apply = (event) => {
    event.preventDefault();
    const by = setting("name").trim();
    nameless(by === "");
    if (by === "") return document.getElementById("break-name")?.focus();
    const numbers = { slow_ms: Number(wish.slow_ms), fail_percent: Number(wish.fail_percent), seconds: Number(wish.seconds) };
    return act(() => put(path, { ...wish, ...numbers, by }));
  };
  const harmless = !wish.pause && !(wish.slow_ms > 0) && !(wish.fail_percent > 0) && !wish.refuse_email;
  return html`<form class="panel card" onSubmit=${apply} aria-labelledby=${id("title")} data-testid=${id("card")}>
    <h2 id=${id("title")}>${service}</h2>
    <${Now} active=${active} now=${serverNow(state)} service=${service} />
    <fieldset disabled=${off || busy}>
      <legend class="unseen">${t("break.for", { service })}</legend>
      <label class="check"><input type="checkbox" data-testid=${id("pause")} checked=${wish.pause} onChange=${change("pause")} /> ${t("break.pause")}</label>
      <${Amount} id=${id("slow")} label=${t("break.slow")} unit="ms" most="2000" value=${wish.slow_ms} onInput=${change("slow_ms")} wrong=${problem?.field?.("slow_ms")} />
      <${Amount} id=${id("fail")} label=${t("break.fail")} unit="%" most="100" value=${wish.fail_percent} onInput=${change("fail_percent")} wrong=${problem?.field?.("fail_percent")} />
      <label class="field row" for=${id("kind")}><span>${t("break.kind")}</span><select id=${id("kind")} data-testid=${id("kind")} value=${wish.fail_kind} onChange=${change("fail_kind")}>${["transient", "permanent"].map((kind) => html`<option key=${kind} value=${kind}>${t(`fail.${kind}`)}</option>`)}</select></label>
      ${service === "notification" && html`<label class="check"><input type="checkbox" data-testid=${id("refuse")} checked=${wish.refuse_email} onChange=${change("refuse_email")} /> ${t("break.refuse")}</label>`}
      <${Amount} id=${id("seconds")} label=${t("break.seconds")} unit=${t("unit.s")} least="1" most="3600" value=${wish.seconds} onInput=${change("seconds")} wrong=${problem?.field?.("seconds")} />
      <div class="actions">
        <button type="submit" class="primary" disabled=${harmless} data-testid=${id("apply")}>${t("break.apply")}</button>
        <button type="button" disabled=${!active} data-testid=${id("clear")} onClick=${() => act(() => remove(path))}>${t("break.clear")}</button>
      </div>
      <p class="muted hint">${harmless && !off ? t("break.choose") : ""}</p>
    </fieldset>
    <${Refusal} problem=${problem} id=${id("problem")} />
  </form>`;
}

/** What is in force. The place is kept when nothing is. */
function Now({ active, now, service }) {
  if (!active) return html`<p class="in-force" data-testid=${`control-${service}-now`}><${State} kind="ok">${t("control.is-normal")}<//></p>`;
  const left = duration(Math.ceil(secondsUntil(active.until, now)));
  return html`<p class="in-force" data-testid=${`control-${service}-now`}><${State} kind="wait">${t("control.now", { what: what(active), by: active.by, until: clock(active.until), left })}<//></p>`;
}

function Amount({ id, label, unit, most, value, onInput, wrong, least = "0" }) {
  return html`<label class="field row" for=${id}><span>${label}</span>
    <span class="with-unit"><input id=${id} data-testid=${id} type="number" inputmode="numeric" min=${least} max=${most} step="1" required value=${value} aria-invalid=${wrong ? "true" : undefined} onInput=${onInput} /> <span class="unit">${unit}</span></span>
    ${wrong && html`<span class="wrong">${wrong}</span>`}</label>`;
}
