// What is known about one thing of the picture, and what is at the head of its line.
import { age, bounded, number, rate, UNKNOWN } from "../format.js";
import { growing } from "../frames.js";
import { Empty, Time } from "../parts.js";
import { t } from "../text.js";
import { html, useEffect, useRef } from "../ui.js";
import { delaysOf, queue, service, topic } from "./model.js";

export function Details({ frame, name }) {
  const heading = useRef(null);
  useEffect(() => {
    heading.current?.focus();
    const escape = (event) => {
      if (event.key === "Escape") location.hash = "#/flow";
    };
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, [name]);
  return html`<aside class="details" aria-labelledby="details-title" data-testid="details">
    <header><h2 id="details-title" tabindex="-1" ref=${heading}>${name.replace("delays:", `${t("flow.delays")}: `)}</h2>
      <a class="button quiet" href="#/flow" data-testid="details-close">${t("close")}</a></header>
    ${about(frame, name)}
  </aside>`;
}

function about(frame, name) {
  if (service(frame, name)) return html`<${AboutService} frame=${frame} name=${name} />`;
  if (topic(frame, name)) return html`<${AboutTopic} frame=${frame} name=${name} />`;
  if (name.startsWith("delays:")) return html`<${Queues} queues=${delaysOf(frame, name.slice("delays:".length))} />`;
  const q = queue(frame, name);
  return q ? html`<${AboutQueue} frame=${frame} q=${q} />` : html`<${Empty}>${t("flow.gone", { name })}<//>`;
}

function AboutService({ frame, name }) {
  const { instances } = service(frame, name);
  const queues = (frame.queues ?? []).filter((q) => q.service === name);
  return html`<h3>${t("flow.instances", { n: instances?.length ?? UNKNOWN })}</h3>
    ${instances?.length === 0 && html`<${Empty}>${t("flow.start-it", { name })}<//>`}
    ${instances?.length > 0 && html`<table><thead><tr><th scope="col">${t("col.host")}</th><th scope="col">${t("col.since")}</th></tr></thead>
      <tbody>${instances.map((one) => html`<tr key=${one.host}><td><code>${one.host}</code></td><td><${Time} at=${one.since} /></td></tr>`)}</tbody></table>`}
    ${queues.length > 0 && html`<h3>${t("flow.queues")}</h3><${Queues} queues=${queues} />`}`;
}

function AboutQueue({ frame, q }) {
  const oldest = q.name === "inventory.stock-commands" ? frame.orders?.oldest_pending : null;
  const rows = [
    ["col.waiting", bounded(q.depth)],
    ["col.ready", bounded(q.ready)],
    ["col.unacked", bounded(q.unacked)],
    ["col.age", q.depth === 0 ? "–" : age(growing(q.age_s), q.age_at_least)],
    ["col.in", rate(q.in_per_s)],
    ["col.out", rate(q.out_per_s)],
    ["col.consumers", number(q.consumers)],
  ];
  if (q.delay_ms) rows.push(["col.delay", t("flow.delay", { s: number(q.delay_ms / 1000) })]);
  const delays = delaysOf(frame, `${q.name}.delay.`);
  return html`<table><tbody>${rows.map(([key, value]) => html`<tr key=${key}><th scope="row">${t(key)}</th><td>${value}</td></tr>`)}
      <tr><th scope="row">${t("col.measured")}</th><td><${Time} at=${q.at} /></td></tr></tbody></table>
    ${q.kind === "dead-letters" && html`<p><a href="#/letters">${t("nav.letters")}</a></p>`}
    ${oldest && html`<h3>${t("flow.head")}</h3><p><a href=${`#/orders/${oldest.id}`}><code>${oldest.id}</code></a><br /><${Time} at=${oldest.placed_at} /></p>`}
    ${delays.length > 0 && html`<h3>${t("flow.delays")}</h3><${Queues} queues=${delays} />`}
    <p class="muted">${t("flow.queue-source")}</p>`;
}

export function Queues({ queues }) {
  if (queues.length === 0) return html`<${Empty}>${t("flow.no-queues")}<//>`;
  return html`<div class="scroll"><table>
    <thead><tr><th scope="col">${t("col.queue")}</th><th scope="col" class="n">${t("col.waiting")}</th><th scope="col" class="n">${t("col.age")}</th><th scope="col" class="n">${t("col.in")}</th><th scope="col" class="n">${t("col.out")}</th></tr></thead>
    <tbody>${queues.map((q) => html`<tr key=${q.name}>
      <td><a href=${`#/flow/${q.name}`}>${q.name}</a></td><td class="n">${bounded(q.depth)}</td><td class="n">${q.depth === 0 ? "–" : age(growing(q.age_s), q.age_at_least)}</td><td class="n">${rate(q.in_per_s)}</td><td class="n">${rate(q.out_per_s)}</td></tr>`)}</tbody>
  </table></div>`;
}

function AboutTopic({ frame, name }) {
  const { groups = [], in_per_s, at } = topic(frame, name);
  return html`<p>${t("flow.log-in", { in: rate(in_per_s) })} · <${Time} at=${at} /></p>
    ${groups.length === 0 && html`<${Empty}>${t("flow.no-groups")}<//>`}
    ${groups.map((g) => html`<section key=${g.name}>
      <h3><code>${g.name}</code></h3>
      <p>${t("flow.group", { lag: bounded(g.lag), rate: rate(g.out_per_s) })}</p>
      <div class="scroll"><table>
        <thead><tr><th scope="col">${t("col.partition")}</th><th scope="col" class="n">${t("col.committed")}</th><th scope="col" class="n">${t("col.end")}</th><th scope="col" class="n">${t("col.lag")}</th><th scope="col" class="n">${t("col.age")}</th><th scope="col">${t("col.head")}</th></tr></thead>
        <tbody>${(g.partitions ?? []).map((p) => html`<tr key=${p.partition}>
          <th scope="row">${p.partition}</th><td class="n">${offset(p.committed)}</td><td class="n">${offset(p.end)}</td><td class="n">${bounded(p.lag)}</td><td class="n">${p.lag === 0 ? "–" : age(growing(p.age_s))}</td>
          <td>${p.head_order ? html`<a href=${`#/orders/${p.head_order}`}><code>…${p.head_order.slice(-8)}</code></a>` : "–"}</td></tr>`)}</tbody>
      </table></div></section>`)}
    <p class="muted">${t("flow.topic-source")}</p>`;
}

/** Without separators: an offset is a name and no amount. */
function offset(value) {
  return value ?? UNKNOWN;
}
