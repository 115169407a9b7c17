// Places one order whose whole way will be recorded, and opens its time line.
import { get, intention, post, sampledTrace } from "../api.js";
import { placed } from "../placed.js";
import { Refusal } from "../parts.js";
import { choose, setting } from "../settings.js";
import { t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";

export function Follow({ state }) {
  const [products, setProducts] = useState([]);
  const [sku, setSku] = useState("PADDLE-CARBON");
  const [quantity, setQuantity] = useState(1);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const key = useRef(intention());
  useEffect(() => {
    get("/api/products").then((answer) => setProducts(answer.products ?? []), () => setProducts([]));
  }, []);
  const place = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const body = { customer: { email: setting("email"), tier: "vip", phone: "+4930123456" }, lines: [{ sku, quantity: Number(quantity) }] };
      const order = await post("/api/orders", body, { traceparent: sampledTrace(), "idempotency-key": key.current });
      placed.add(order.id);
      location.hash = `#/orders/${order.id}`;
    } catch (refused) {
      // A refused intention may be changed and sent again, but not under the same key.
      if (refused.status >= 400 && refused.status < 500) key.current = intention();
      setProblem(refused);
      setBusy(false);
    }
  };
  const choices = products.length > 0 ? products : [{ sku, name: sku }];
  return html`<form class="follow panel" onSubmit=${place} aria-labelledby="follow-title">
    <h2 id="follow-title">${t("follow.title")}</h2>
    <label class="field" for="follow-email"><span>${t("col.email")}</span><input id="follow-email" data-testid="follow-email" type="email" required value=${setting("email")} onInput=${(event) => choose({ email: event.target.value })} /></label>
    <label class="field" for="follow-sku"><span>${t("col.product")}</span><select id="follow-sku" data-testid="follow-sku" value=${sku} onChange=${(event) => setSku(event.target.value)}>${choices.map((p) => html`<option key=${p.sku} value=${p.sku} selected=${p.sku === sku}>${p.name}</option>`)}</select></label>
    <label class="field short" for="follow-quantity"><span>${t("col.quantity")}</span><input id="follow-quantity" data-testid="follow-quantity" type="number" min="1" max="1000" required value=${quantity} onInput=${(event) => setQuantity(event.target.value)} /></label>
    <div class="actions"><button type="submit" class="primary" data-testid="follow-order" disabled=${busy || state.frame?.readonly}>${t("follow.place")}</button></div>
    ${state.frame?.readonly && html`<p class="reason">${t("off.readonly")}</p>`}
    <${Refusal} problem=${problem} id="follow-problem" />
  </form>`;
}
