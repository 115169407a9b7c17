// The flash sale: many orders in a short time, so that there is something to shave.
import { get, post, remove } from "../api.js";
import { clock, duration, number, secondsUntil } from "../format.js";
import { serverNow } from "../frames.js";
import { NameField, Refusal } from "../parts.js";
import { setting } from "../settings.js";
import { t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";

const PATH = "/api/load";
const POLL = 500;
/** The sale is this many times the present rate, unless somebody chooses otherwise. */
const TIMES = 10;

export function FlashSale({ state }) {
  const [sale, setSale] = useState(null);
  const [problem, setProblem] = useState(null);
  const [wanted, setWanted] = useState({ rate: null, seconds: 60 });
  const [nameless, setNameless] = useState(false);
  const [busy, setBusy] = useState(false);
  // Counts what somebody presses for: what was asked before or meanwhile is older than the answer to it.
  const pressed = useRef(0);
  useEffect(() => poll(setSale, pressed), []);

  const present = state.frame?.orders?.placed_per_s ?? 0;
  const proposed = Math.min(2000, Math.max(50, Math.round((present * TIMES) / 10) * 10));
  const [fixed, setFixed] = useState(null);
  useEffect(() => {
    // The proposal is made once, when the first rate is known: a field that changes by itself cannot be filled in.
    if (fixed === null && state.frame?.orders?.placed_per_s !== null && state.frame) setFixed(proposed);
  }, [state.frame]);
  const perSecond = wanted.rate ?? fixed ?? proposed;

  const act = async (request) => {
    setBusy(true);
    pressed.current += 1;
    try {
      setSale(await request());
      setProblem(null);
    } catch (refused) {
      setProblem(refused);
    } finally {
      pressed.current += 1;
      setBusy(false);
    }
  };
  const begin = (event) => {
    event.preventDefault();
    const by = setting("name").trim();
    setNameless(by === "");
    if (by !== "") act(() => post(PATH, { rate_per_s: Number(perSecond), seconds: Number(wanted.seconds), by }));
  };
  const reason = why(state.frame, sale);
  return html`<section class="panel" aria-labelledby="flash-title">
    <h2 id="flash-title">${t("flash.title")}</h2>
    <p class="muted">${t("flash.what")}</p>
    <form class="fields" onSubmit=${begin}>
      <${Amount} id="flash-rate" label=${t("flash.rate")} unit=${t("unit.orders-per-s")} most=${2000} value=${perSecond} onInput=${(rate) => setWanted({ ...wanted, rate })} />
      <${Amount} id="flash-seconds" label=${t("flash.seconds")} unit=${t("unit.s")} most=${600} value=${wanted.seconds} onInput=${(seconds) => setWanted({ ...wanted, seconds })} />
      <${NameField} id="flash-name" refused=${nameless && setting("name").trim() === ""} />
      <div class="actions">
        <button type="submit" class="primary" data-testid="flash-start" disabled=${busy || Boolean(reason) || sale?.running}>${t("flash.start")}</button>
        <button type="button" data-testid="flash-stop" disabled=${busy || !sale?.running || state.frame?.readonly} onClick=${() => act(() => remove(PATH))}>${t("flash.stop")}</button>
      </div>
    </form>
    <p class="reason" data-testid="flash-reason">${reason ?? ""}</p>
    <${Refusal} problem=${problem} id="flash-problem" />
    <${Progress} sale=${sale} now=${serverNow(state)} />
  </section>`;
}

function Progress({ sale, now }) {
  if (!sale?.started_at) return html`<p class="muted" data-testid="flash-progress">${t("flash.none")}</p>`;
  const total = sale.rate_per_s * sale.seconds;
  const left = secondsUntil(sale.ends_at, now);
  return html`<div data-testid="flash-progress" class="progress">
    <p>${sale.running ? t("flash.running", { left: duration(Math.ceil(left ?? 0)), until: clock(sale.ends_at), by: sale.by ?? "?" }) : t("flash.over", { at: clock(sale.ends_at), by: sale.by ?? "?" })}</p>
    <progress max=${total} value=${Math.min(total, sale.placed + sale.refused + sale.failed)} aria-label=${t("flash.title")}></progress>
    <p class="figures" data-testid="flash-counts">${t("flash.counts", { placed: number(sale.placed), total: number(total), refused: number(sale.refused), failed: number(sale.failed) })}</p>
  </div>`;
}

function Amount({ id, label, unit, most, value, onInput }) {
  return html`<label class="field amount" for=${id}><span>${label}</span>
    <span class="with-unit"><input id=${id} data-testid=${id} type="number" inputmode="numeric" min="1" max=${most} step="1" required value=${value} onInput=${(event) => onInput(event.target.value)} /> ${unit}</span></label>`;
}

/** Why no sale can be started, or null. */
function why(frame, sale) {
  if (frame?.readonly) return t("off.readonly");
  if (frame && !frame.demo) return t("off.demo");
  if (sale === undefined) return t("flash.away");
  return null;
}

/** Asks until it is told to stop. `undefined` means that the load service does not answer. */
function poll(setSale, pressed) {
  let timer = null;
  let ended = false;
  const ask = async () => {
    if (!document.hidden) {
      const before = pressed.current;
      const sale = await get(PATH).catch(() => undefined);
      if (!ended && pressed.current === before) setSale(sale);
    }
    if (!ended) timer = setTimeout(ask, POLL);
  };
  ask();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
