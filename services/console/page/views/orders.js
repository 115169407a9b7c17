// Orders: a search, a page of results that never moves under the pointer, and one order's time line.
import { get, query } from "../api.js";
import { bounded, dateTime, money, shortId } from "../format.js";
import { Empty, Refusal, Status, Time } from "../parts.js";
import { t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";
import { Follow } from "./follow.js";
import { OrderView } from "./order.js";
import { Search, wanted } from "./search.js";

const LIMIT = 20;
/** Changes are looked up at most this often, however many there are. */
const REFRESH = 1000;

export function OrdersView({ state, route }) {
  if (route.rest) return html`<${OrderView} state=${state} id=${route.rest} key=${route.rest} />`;
  return html`<div class="orders">
    <header class="view-head"><h1>${t("orders.title")}</h1><${Totals} frame=${state.frame} /></header>
    <${Follow} state=${state} />
    <${List} state=${state} search=${route.search} key=${route.search.toString()} />
  </div>`;
}

function Totals({ frame }) {
  const statuses = ["pending", "confirmed", "paid", "rejected", "cancelled"];
  return html`<ul class="totals" title=${`${t("source.orders")} · ${dateTime(frame?.at)}`}>${statuses.map((status) => html`<li key=${status}><${Status} status=${status} /> <b data-testid=${`total-${status}`}>${bounded(frame?.orders?.statuses?.[status])}</b></li>`)}</ul>`;
}

function List({ state, search }) {
  const list = useOrders(search, state.frame?.changes?.orders);
  const filtered = [...search.keys()].length > 0;
  return html`<${Search} search=${search} problem=${list.problem} />
    <div class="list-head">
      <button type="button" class="pill" data-testid="orders-new" hidden=${list.fresh === 0} onClick=${list.newest}>${t("orders.new", { n: list.fresh > LIMIT - 1 ? `${LIMIT}+` : list.fresh })}</button>
    </div>
    <${Refusal} problem=${list.problem} id="orders-problem" />
    <div class="scroll order-list" data-loading=${!list.orders && !list.problem}><table class="rows stack" data-testid="orders">
      <thead><tr><th scope="col">${t("col.order")}</th><th scope="col">${t("col.status")}</th><th scope="col">${t("col.email")}</th><th scope="col" class="n">${t("col.total")}</th><th scope="col">${t("col.placed")}</th><th scope="col">${t("col.changed")}</th></tr></thead>
      <tbody>${(list.orders ?? []).map((order) => html`<${Row} key=${order.id} order=${order} />`)}</tbody>
    </table>
    ${!list.orders && !list.problem && html`<${Empty}>${t("loading")}<//>`}</div>
    ${list.orders?.length === 0 && html`<${Empty}>${t(filtered ? "orders.none-found" : "orders.none")}<//>`}
    <nav class="pager" aria-label=${t("orders.pages")}>
      <button type="button" data-testid="orders-newest" disabled=${list.first} onClick=${list.newest}>${t("orders.newest")}</button>
      <button type="button" data-testid="orders-older" disabled=${!list.next} onClick=${list.older}>${t("orders.older")}</button>
    </nav>`;
}

function Row({ order }) {
  return html`<tr data-testid=${`order-row-${order.id}`}>
    <td data-label=${t("col.order")}><a href=${`#/orders/${order.id}`} title=${order.id}><code>${shortId(order.id)}</code></a></td>
    <td data-label=${t("col.status")}><${Status} status=${order.status} /></td>
    <td class="cut" data-label=${t("col.email")} title=${order.email}>${order.email ?? "?"}</td>
    <td class="n" data-label=${t("col.total")}>${money(order.total_cents, order.currency)}</td>
    <td data-label=${t("col.placed")}><${Time} at=${order.placed_at} /></td>
    <td data-label=${t("col.changed")}><${Time} at=${order.changed_at} relative=${false} /></td>
  </tr>`;
}

/** A page of orders. What arrives later only counts as new; what is shown keeps its place and gets its new status. */
function useOrders(search, changes) {
  const [page, setPage] = useState({ orders: null, next: null, before: null, fresh: 0, problem: null });
  const current = useRef(page);
  const show = (changed) => {
    current.current = { ...current.current, ...changed };
    setPage(current.current);
  };
  const load = async (before) => {
    try {
      const answer = await ask(search, before);
      show({ orders: answer.orders, next: answer.next, before, fresh: 0, problem: null });
    } catch (problem) {
      show({ problem });
    }
  };
  useEffect(() => void load(null), []);
  useThrottled(changes, async () => {
    const { orders } = current.current;
    if (!orders) return load(null);
    const answer = await ask(search, current.current.before).catch(() => null);
    // The page may have been turned meanwhile.
    if (!answer || current.current.orders !== orders) return;
    if (orders.length === 0) return show({ orders: answer.orders, next: answer.next, before: null });
    const now = new Map(answer.orders.map((order) => [order.id, order]));
    const known = answer.orders.findIndex((order) => order.id === orders[0].id);
    const fresh = current.current.before ? 0 : known < 0 ? answer.orders.length : known;
    show({ orders: orders.map((order) => now.get(order.id) ?? order), fresh, problem: null });
  });
  return {
    ...page,
    first: page.before === null && page.fresh === 0,
    newest: () => load(null),
    older: () => load(current.current.next),
  };
}

function ask(search, before) {
  return get(query("/api/console/orders", { ...wanted(search), limit: LIMIT, before }));
}

/** Calls when the value has changed, but not more often than once in `REFRESH`, and once more at the end. */
export function useThrottled(value, call) {
  const seen = useRef(value);
  const newest = useRef(call);
  const timer = useRef(null);
  newest.current = call;
  useEffect(() => {
    if (value === undefined || value === seen.current) return;
    seen.current = value;
    timer.current ??= setTimeout(() => {
      timer.current = null;
      newest.current();
    }, REFRESH);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
}
