// One order: what it is, where it was, and what the customer was told.
import { get, post, query } from "../api.js";
import { money, number } from "../format.js";
import { useThrottled } from "../listing.js";
import { Behind, Empty, Refusal, Status, Time } from "../parts.js";
import { placed } from "../placed.js";
import { timeline } from "../timeline.js";
import { known, t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { Timeline } from "./timeline.js";

/** An order that was placed this moment is not yet known to the console: it is looked for again for so long. */
const UNKNOWN_FOR = 15_000;
const AGAIN = 500;

export function OrderView({ state, id }) {
  const { order, problem, again } = useOrder(id, state.frame?.changes?.orders);
  const o = order?.order;
  return html`<div class="order">
    <p><a href="#/orders" data-testid="orders-back">${t("order.back")}</a></p>
    <header class="view-head"><h1>${t("order.title")} <code>${id}</code></h1>${o && html`<${Status} status=${o.status} />`} <${Behind} frame=${state.frame} /></header>
    ${!order && !problem && html`<${Empty}>${t("order.waiting")}<//>`}
    <${Refusal} problem=${problem} id="order-problem" />
    ${o && html`<div class="order-columns">
      <section class="panel"><h2>${t("order.what")}</h2><${Facts} o=${o} lines=${order.lines} />
        <${Settle} o=${o} readonly=${state.frame?.readonly} done=${again} />
        <p class="further"><a data-testid="order-letters" href=${`#/letters?state=all&q=${id}`}>${t("order.letters")}</a></p></section>
      <${Notifications} id=${id} version=${o.version} />
    </div>
    <section class="panel"><h2>${t("order.way")}</h2>
      <p class="muted">${t(order.traced ? "order.traced" : "order.untraced")}</p>
      <${Timeline} entries=${timeline(order)} /></section>`}
  </div>`;
}

function Facts({ o, lines }) {
  return html`<table><tbody>
    <tr><th scope="row">${t("col.email")}</th><td>${o.email ?? "?"}</td></tr>
    <tr><th scope="row">${t("col.tier")}</th><td>${known(`tier.${o.tier}`, o.tier ?? "?")}</td></tr>
    <tr><th scope="row">${t("col.total")}</th><td>${money(o.total_cents, o.currency)}</td></tr>
    <tr><th scope="row">${t("col.placed")}</th><td><${Time} at=${o.placed_at} /></td></tr>
    <tr><th scope="row">${t("col.changed")}</th><td><${Time} at=${o.changed_at} /></td></tr>
    <tr><th scope="row">${t("col.version")}</th><td>${o.version ?? "?"}</td></tr>
    ${(lines ?? []).map((line) => html`<tr key=${line.sku}><th scope="row">${number(line.quantity)} ×</th><td>${line.name ?? line.sku} <span class="muted">${money(line.price_cents, o.currency)}</span></td></tr>`)}
  </tbody></table>`;
}

/** Paying and cancelling, through the public API of `order`, while they are possible. */
function Settle({ o, readonly, done }) {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  if (readonly || o.status !== "confirmed") return null;
  const act = async (what) => {
    setBusy(true);
    try {
      await post(`/api/orders/${encodeURIComponent(o.id)}/${what}`);
      setProblem(null);
      done();
    } catch (refused) {
      setProblem(refused);
    } finally {
      setBusy(false);
    }
  };
  return html`<div class="actions">
    <button type="button" class="primary" data-testid="order-pay" disabled=${busy} onClick=${() => act("payment")}>${t("order.pay")}</button>
    <button type="button" data-testid="order-cancel" disabled=${busy} onClick=${() => act("cancellation")}>${t("order.cancel")}</button>
  </div><${Refusal} problem=${problem} id="settle-problem" />`;
}

/** Who was told what: from the public API of `notification`, which may be away without harm to the rest. */
function Notifications({ id, version }) {
  const [told, setTold] = useState({ list: null, problem: null });
  useEffect(() => {
    let ended = false;
    let timer = null;
    let left = 6;
    const ask = () => get(`/api/notifications?order_id=${encodeURIComponent(id)}`)
      .then((answer) => ({ list: Array.isArray(answer) ? answer : (answer.notifications ?? []), problem: null }), (problem) => ({ list: null, problem }))
      .then((next) => {
        if (ended) return;
        setTold(next);
        left -= 1;
        if (left > 0 && !(next.list?.length > 0 && next.list.every((n) => n.reference))) timer = setTimeout(ask, 1000);
      });
    ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [id, version]);
  const mails = `${location.protocol}//${location.hostname}:1080/`;
  return html`<section class="panel" data-testid="notifications"><h2>${t("order.told")}</h2>
    <${Refusal} problem=${told.problem} />
    ${told.list?.length === 0 && html`<${Empty}>${t("order.told-nobody")}<//>`}
    ${told.list?.length > 0 && html`<div class="scroll"><table class="stack"><thead><tr><th scope="col">${t("col.channel")}</th><th scope="col">${t("col.event")}</th><th scope="col">${t("col.recipient")}</th><th scope="col">${t("col.queued")}</th></tr></thead>
      <tbody>${told.list.map((n) => html`<tr key=${n.id}><td data-label=${t("col.channel")}>${known(`channel.${n.channel}`, n.channel)}</td><td data-label=${t("col.event")}><code class="whole">${n.event}</code></td><td class="cut" data-label=${t("col.recipient")} title=${n.recipient}>${n.recipient}</td>
        <td data-label=${t("col.queued")}><span><${Time} at=${n.created_at} relative=${false} />${n.channel === "email" && n.reference && html` <a href=${mails} target="_blank" rel="noreferrer">${t("order.mail")}</a>`}</span></td></tr>`)}</tbody></table></div>`}
  </section>`;
}

function useOrder(id, changes) {
  const [known, setKnown] = useState({ order: null, problem: null });
  const alive = useRef(true);
  const since = useRef(Date.now());
  const timer = useRef(null);
  const ask = async () => {
    clearTimeout(timer.current);
    try {
      if (placed.has(id) && !(await arrived(id, since.current))) {
        if (alive.current) timer.current = setTimeout(ask, AGAIN);
        return;
      }
      const order = await get(`/api/console/orders/${encodeURIComponent(id)}`);
      if (alive.current) setKnown({ order, problem: null });
      // Spans arrive up to two seconds after what they tell of.
      const young = Date.now() - Date.parse(order.order.changed_at ?? 0) < 10_000 || Date.now() - since.current < 10_000;
      if (young && alive.current) timer.current = setTimeout(ask, 2 * AGAIN);
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

/** Whether the console knows the order. Its list says so without an error; after a while the answer about the order does. */
async function arrived(id, since) {
  const { orders } = await get(query("/api/console/orders", { id, limit: 1 }));
  if (orders.length === 0 && Date.now() - since < UNKNOWN_FOR) return false;
  placed.delete(id);
  return true;
}
