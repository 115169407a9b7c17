// Orders: a search, a page of results that never moves under the pointer, and one order's time line.
import { get, query } from "../api.js";
import { bounded, dateTime, money, shortId } from "../format.js";
import { useListing } from "../listing.js";
import { Behind, Empty, Refusal, Status, Time } from "../parts.js";
import { renewed } from "../renewed.js";
import { t } from "../text.js";
import { html } from "../ui.js";
import { Follow } from "./follow.js";
import { OrderView } from "./order.js";
import { Search, wanted } from "./search.js";

const LIMIT = 20;

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
  const list = useListing((before) => ask(search, before), state.frame?.changes?.orders, async (rows, before) => {
    const { rows: orders, fresh } = renewed(rows, await ask(search, before));
    return { rows: orders, fresh: before ? 0 : fresh };
  });
  const filtered = [...search.keys()].length > 0;
  return html`<${Search} search=${search} problem=${list.problem} />
    <div class="list-head">
      <button type="button" class="pill" data-testid="orders-new" hidden=${list.fresh === 0} onClick=${list.newest}>${t("orders.new", { n: list.fresh > LIMIT - 1 ? `${LIMIT}+` : list.fresh })}</button>
      <${Behind} frame=${state.frame} />
    </div>
    <${Refusal} problem=${list.problem} id="orders-problem" />
    <div class="scroll order-list" data-loading=${!list.rows && !list.problem}><table class="rows stack" data-testid="orders">
      <thead><tr><th scope="col">${t("col.order")}</th><th scope="col">${t("col.status")}</th><th scope="col">${t("col.email")}</th><th scope="col" class="n">${t("col.total")}</th><th scope="col">${t("col.placed")}</th><th scope="col">${t("col.changed")}</th></tr></thead>
      <tbody>${(list.rows ?? []).map((order) => html`<${Row} key=${order.id} order=${order} />`)}</tbody>
    </table>
    ${!list.rows && !list.problem && html`<${Empty}>${t("loading")}<//>`}</div>
    ${list.rows?.length === 0 && html`<${Empty}>${t(filtered ? "orders.none-found" : "orders.none")}<//>`}
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

async function ask(search, before) {
  const { orders, next } = await get(query("/api/console/orders", { ...wanted(search), limit: LIMIT, before }));
  return { rows: orders, next };
}
