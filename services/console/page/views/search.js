// The search above the orders. What is searched for stands in the address, so that it survives a reload.
import { known, t } from "../text.js";
import { setting } from "../settings.js";
import { html, useEffect, useState } from "../ui.js";

const STATUSES = ["", "pending", "confirmed", "paid", "rejected", "cancelled"];

export function Search({ search, problem }) {
  // What was typed stays while the page is drawn anew, until something else is searched for.
  const [typed, setTyped] = useState({});
  useEffect(() => setTyped({}), [search.toString()]);
  const value = (name) => typed[name] ?? search.get(name) ?? "";
  const type = ({ target }) => setTyped((before) => ({ ...before, [target.name]: target.value }));
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const filled = [...form].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "");
    const hash = filled.length === 0 ? "#/orders" : `#/orders?${new URLSearchParams(filled)}`;
    location.hash = hash;
  };
  const zone = setting("clock") === "utc" ? "UTC" : t("clock.local");
  return html`<form class="search" role="search" aria-label=${t("orders.search")} onSubmit=${submit}>
    <${Field} name="id" value=${value("id")} onInput=${type} problem=${problem} label=${t("orders.id")} />
    <${Field} name="email" value=${value("email")} onInput=${type} problem=${problem} label=${t("orders.email")} />
    <label class="field" for="search-status"><span>${t("col.status")}</span>
      <select id="search-status" name="status" data-testid="orders-search-status" value=${value("status")} onChange=${type}>${STATUSES.map((status) => html`<option key=${status} value=${status} selected=${status === value("status")}>${status ? known(`status.${status}`, status) : t("orders.any")}</option>`)}</select></label>
    <${Field} name="since" type="datetime-local" value=${value("since")} onInput=${type} problem=${problem} label=${t("orders.since", { zone })} />
    <${Field} name="until" type="datetime-local" value=${value("until")} onInput=${type} problem=${problem} label=${t("orders.until", { zone })} />
    <div class="actions"><button type="submit" class="primary" data-testid="orders-search-submit">${t("orders.find")}</button>
      <a class="button" href="#/orders" data-testid="orders-search-clear" onClick=${() => setTyped({})}>${t("orders.clear")}</a></div>
  </form>`;
}

function Field({ name, label, value, onInput, problem, type = "text" }) {
  const wrong = problem?.field?.(name);
  const id = `search-${name}`;
  return html`<label class="field" for=${id}><span>${label}</span>
    <input id=${id} name=${name} type=${type} step=${type === "text" ? undefined : "1"} data-testid=${`orders-search-${name}`} value=${value} onInput=${onInput} spellcheck="false" autocomplete="off" aria-invalid=${wrong ? "true" : undefined} />
    ${wrong && html`<span class="wrong">${wrong}</span>`}</label>`;
}

/** The search as the server wants it: a time that was typed means the page's own zone. */
export function wanted(search) {
  const values = Object.fromEntries(search);
  for (const name of ["since", "until"]) {
    if (values[name]) values[name] = instant(values[name]);
  }
  return values;
}

function instant(typed) {
  const date = new Date(setting("clock") === "utc" ? `${typed}Z` : typed);
  // What is no time is sent as it is: the server says what is wrong with it.
  return Number.isNaN(date.getTime()) ? typed : date.toISOString();
}
