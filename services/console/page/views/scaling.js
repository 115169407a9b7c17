// Scaling: the commands to type, what each number of instances was seen to do, and what was measured before.
import { service } from "../flow/model.js";
import { dateTime, number, rate, UNKNOWN } from "../format.js";
import { Command, Empty, Time } from "../parts.js";
import { MEASURED, measured } from "../rates.js";
import { t } from "../text.js";
import { html } from "../ui.js";
import { ScalingCurve } from "./curve.js";

export function ScalingView({ state }) {
  return html`<div class="scaling">
    <header class="view-head"><h1>${t("scaling.title")}</h1></header>
    <p class="muted">${t("scaling.what")}</p>
    <div class="cards">${Object.keys(MEASURED).map((name) => html`<${Card} key=${name} name=${name} frame=${state.frame} />`)}</div>
    <section class="panel"><h2>${t("scaling.auto")}</h2><p>${t("scaling.auto-what")}</p><p><${Command} text="./dev autoscale" /></p></section>
    <section class="panel"><h2>${t("scaling.bench")}</h2><p>${t("scaling.bench-what")}</p><p><${Command} text="./dev bench scaling" /></p><${ScalingCurve} /></section>
  </div>`;
}

function Card({ name, frame }) {
  const instances = frame ? service(frame, name)?.instances : null;
  const n = instances?.length;
  const rows = [...measured[name].rates].sort(([a], [b]) => a - b);
  return html`<section class="panel card" data-testid=${`scaling-${name}`}>
    <h2>${name}</h2>
    <p class="big" title=${`${t("source.counters")} · ${dateTime(frame?.at)}`}><b data-testid=${`instances-${name}`}>${n ?? UNKNOWN}</b> ${t(n === 1 ? "scaling.instance" : "scaling.instances")} · <b data-testid=${`rate-${name}`}>${rate(frame ? MEASURED[name](frame) : null)}</b> ${t(`scaling.does.${name}`)}</p>
    <h3>${t("scaling.type")}</h3>
    <ul class="commands">${choices(n).map((count) => html`<li key=${count}><${Command} text=${`docker compose up -d --scale ${name}=${count} ${name}`} /></li>`)}</ul>
    <h3>${t("scaling.measured")}</h3>
    ${rows.length === 0 ? html`<${Empty}>${t("scaling.nothing")}<//>` : html`<table><thead><tr><th scope="col" class="n">${t("col.instances")}</th><th scope="col" class="n">${t("scaling.best")}</th></tr></thead>
      <tbody>${rows.map(([count, best]) => html`<tr key=${count}><td class="n">${number(count)}</td><td class="n">${rate(best)}</td></tr>`)}</tbody></table>`}
    <h3>${t("scaling.now")}</h3>
    ${instances?.length === 0 && html`<${Empty}>${t("flow.none")}<//>`}
    <ul class="hosts">${(instances ?? []).map((one) => html`<li key=${one.host}><code>${one.host}</code> <${Time} at=${one.since} /></li>`)}</ul>
  </section>`;
}

/** One fewer than now where that leaves one, and two ways up. */
function choices(n = 1) {
  return [...new Set([Math.max(1, n - 1), n + 1, Math.max(4, n * 2)])].filter((count) => count !== n);
}
