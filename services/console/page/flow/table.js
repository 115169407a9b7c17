// The picture as a table: for a screen reader, for a narrow window, and for whoever prefers to read.
import { bounded, duration, rate, UNKNOWN } from "../format.js";
import { growing } from "../frames.js";
import { t } from "../text.js";
import { html } from "../ui.js";
import { Queues } from "./details.js";

export function FlowTable({ frame }) {
  return html`<div class="flow-table" data-testid="flow-table">
    <section><h2>${t("flow.services")}</h2><table>
      <thead><tr><th scope="col">${t("col.service")}</th><th scope="col" class="n">${t("col.instances")}</th></tr></thead>
      <tbody>${(frame.services ?? []).map((s) => html`<tr key=${s.name}><td><a href=${`#/flow/${s.name}`}>${s.name}</a></td><td class="n">${s.instances?.length ?? UNKNOWN}</td></tr>`)}</tbody>
    </table></section>
    <section><h2>${t("flow.queues-of")}</h2><${Queues} queues=${frame.queues ?? []} /></section>
    <section><h2>${t("flow.topics-of")}</h2><div class="scroll"><table>
      <thead><tr><th scope="col">${t("col.topic")}</th><th scope="col">${t("col.reader")}</th><th scope="col" class="n">${t("col.lag")}</th><th scope="col" class="n">${t("col.age")}</th><th scope="col" class="n">${t("col.in")}</th><th scope="col" class="n">${t("col.out")}</th></tr></thead>
      <tbody>${(frame.topics ?? []).flatMap((topic) => (topic.groups ?? []).map((g) => html`<tr key=${g.name + topic.name}>
        <td><a href=${`#/flow/${topic.name}`}>${topic.name}</a></td><td>${g.service}</td><td class="n">${bounded(g.lag)}</td>
        <td class="n">${g.lag === 0 ? "–" : duration(growing(g.age_s))}</td><td class="n">${rate(topic.in_per_s)}</td><td class="n">${rate(g.out_per_s)}</td></tr>`))}</tbody>
    </table></div></section>
  </div>`;
}
