// Stock: what of each product is there, reserved and sold, and more of it on request.
import { get, intention, post } from "../api.js";
import { money, number } from "../format.js";
import { useThrottled } from "../listing.js";
import { Empty, Refusal, State, Time } from "../parts.js";
import { t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";

/** Fewer pieces than this may be gone within one flash sale. */
const FEW = 10;

export function StockView({ state }) {
  const [stock, setStock] = useState(null);
  const [problem, setProblem] = useState(null);
  const load = () => get("/api/console/stock").then((answer) => {
    setStock(answer.stock);
    setProblem(null);
  }, setProblem);
  useEffect(() => void load(), []);
  useThrottled(state.frame?.changes?.stock, load);
  return html`<div class="stock">
    <header class="view-head"><h1>${t("stock.title")}</h1></header>
    <p class="muted">${t("stock.what")}</p>
    <${Refusal} problem=${problem} id="stock-problem" />
    ${!stock && !problem && html`<${Empty}>${t("loading")}<//>`}
    ${stock?.length === 0 && html`<${Empty}>${t("stock.none")}<//>`}
    ${stock?.length > 0 && html`<div class="scroll"><table class="rows stack" data-testid="stock">
      <thead><tr><th scope="col">SKU</th><th scope="col">${t("col.product")}</th><th scope="col" class="n">${t("col.price")}</th><th scope="col" class="n">${t("col.available")}</th><th scope="col" class="n">${t("col.reserved")}</th><th scope="col" class="n">${t("col.sold")}</th><th scope="col">${t("col.changed")}</th><th scope="col">${t("stock.restock")}</th></tr></thead>
      <tbody>${stock.map((level) => html`<${Row} key=${level.sku} level=${level} readonly=${state.frame?.readonly} />`)}</tbody>
    </table></div>`}
  </div>`;
}

function Row({ level, readonly }) {
  const kind = level.available === 0 ? "error" : level.available < FEW ? "wait" : null;
  return html`<tr data-testid=${`stock-row-${level.sku}`}>
    <th scope="row"><code>${level.sku}</code></th>
    <td data-label=${t("col.product")}>${level.name ?? "?"}</td>
    <td class="n" data-label=${t("col.price")}>${money(level.price_cents, level.currency)}</td>
    <td class="n" data-label=${t("col.available")} data-testid=${`available-${level.sku}`}>${kind ? html`<${State} kind=${kind}>${number(level.available)} ${t(kind === "error" ? "stock.out" : "stock.few")}<//>` : number(level.available)}</td>
    <td class="n" data-label=${t("col.reserved")}>${number(level.reserved)}</td>
    <td class="n" data-label=${t("col.sold")}>${number(level.sold)}</td>
    <td data-label=${t("col.changed")}><${Time} at=${level.changed_at} /></td>
    <td data-label=${t("stock.restock")}><${Restock} sku=${level.sku} readonly=${readonly} /></td>
  </tr>`;
}

/** Through the public API of `inventory`; the level itself arrives from Kafka, like everybody's. */
function Restock({ sku, readonly }) {
  const [quantity, setQuantity] = useState(10);
  const [says, setSays] = useState({ problem: null, done: null });
  const [busy, setBusy] = useState(false);
  const key = useRef(intention());
  const restock = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const level = await post(`/api/stock/${encodeURIComponent(sku)}/restocks`, { quantity: Number(quantity) }, { "idempotency-key": key.current });
      key.current = intention();
      setSays({ problem: null, done: t("stock.done", { n: number(level.available) }) });
    } catch (problem) {
      if (problem.status >= 400 && problem.status < 500) key.current = intention();
      setSays({ problem, done: null });
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="restock" onSubmit=${restock}>
    <input type="number" min="1" max="1000000" required value=${quantity} aria-label=${t("stock.pieces", { sku })} data-testid=${`restock-quantity-${sku}`} onInput=${(event) => setQuantity(event.target.value)} />
    <button type="submit" disabled=${busy || readonly} title=${readonly ? t("off.readonly") : undefined} data-testid=${`restock-${sku}`}>${t("stock.add")}</button>
    <span class="done" role="status">${says.done ?? ""}</span>
    ${says.problem && html`<${Refusal} problem=${says.problem} />`}
  </form>`;
}
