// The time line of one order over both brokers.
import { milliseconds } from "../format.js";
import { Empty, State, Time } from "../parts.js";
import { extent, shortType, whereabouts } from "../timeline.js";
import { known, t } from "../text.js";
import { html } from "../ui.js";

export function Timeline({ entries }) {
  if (entries.length === 0) return html`<${Empty}>${t("order.no-entries")}<//>`;
  const span = extent(entries);
  return html`<div class="scroll"><table class="timeline stack" data-testid="timeline">
    <thead><tr><th scope="col">${t("col.time")}</th><th scope="col" class="n">${t("col.after")}</th><th scope="col">${t("col.what")}</th><th scope="col">${t("col.where")}</th><th scope="col">${t("col.by")}</th><th scope="col" class="n">${t("col.took")}</th><th scope="col" class="bars">${t("col.bar")}</th><th scope="col">${t("col.source")}</th></tr></thead>
    <tbody>${entries.map((entry, i) => html`<${Row} key=${i} entry=${entry} span=${span} />`)}</tbody>
  </table></div>`;
}

function Row({ entry, span }) {
  const { fact, span: s } = entry;
  const length = span.to - span.from;
  const percent = (ms) => `${((ms / length) * 100).toFixed(2)}%`;
  const from = percent(entry.at - span.from);
  return html`<tr data-source=${entry.source} data-kind=${s?.error ? "error" : undefined}>
    <td data-label=${t("col.time")}><${Time} at=${new Date(entry.at).toISOString()} precise=${true} relative=${false} /></td>
    <td class="n" data-label=${t("col.after")}>+${milliseconds(entry.at - span.from)}</td>
    <td data-label=${t("col.what")}><span>${fact ? html`<b>${shortType(fact.type)}</b>${fact.version && html` <span class="muted">v${fact.version}</span>`}${fact.reason && html`<br /><span class="muted">${fact.reason}</span>`}` : html`${known(`span.kind.${s.kind}`, s.kind)} <span class="muted">${s.name}</span>${s.error && html`<br /><${State} kind="error">${s.error}<//>`}`}</span></td>
    <td data-label=${t("col.where")}>${fact ? html`<${Where} pairs=${[["span.topic", fact.topic], ["span.partition", fact.partition], ["span.offset", fact.offset]]} />` : html`<${Where} pairs=${whereabouts(s)} />`}</td>
    <td data-label=${t("col.by")}>${s ? html`<span>${s.service}<br /><span class="muted">${s.instance}</span></span>` : html`<span class="muted">–</span>`}</td>
    <td class="n" data-label=${t("col.took")}>${s ? milliseconds(s.duration_ms) : html`<span class="muted">–</span>`}</td>
    <td class="bars"><svg class="bar-line" width="100%" height="12" aria-hidden="true">${fact ? html`<circle cx=${from} cy="6" r="3" class="fact" />` : html`<rect x=${from} y="3" width=${percent(Math.max(entry.took ?? 0, length * 0.004))} height="6" class=${s.kind} />`}</svg></td>
    <td data-label=${t("col.source")}>${t(fact ? "source.fact" : "source.span")}</td>
  </tr>`;
}

function Where({ pairs }) {
  if (pairs.length === 0) return html`<span class="muted">–</span>`;
  return html`<span class="where">${pairs.map(([key, value]) => html`<span key=${key}><span class="muted">${t(key)}</span> <code>${value}</code></span>`)}</span>`;
}
