// The scaling curve of `./dev bench scaling`, as it was when this console was built.
import { get } from "../api.js";
import { curves, picture, SIZE } from "../curve.js";
import { dateTime, number, rate, UNKNOWN } from "../format.js";
import { Empty, Refusal } from "../parts.js";
import { t } from "../text.js";
import { html, useEffect, useState } from "../ui.js";

/** The curves differ in the shape of their points and in their dashes too, since they may lie on each other. */
const LOOKS = {
  RabbitMQ: { color: "series-c", dash: null, label: [10, 16, "start"], point: (x, y) => html`<circle cx=${x} cy=${y} r="4.5" />` },
  Kafka: { color: "series-a", dash: "8 3", label: [-10, -8, "end"], point: (x, y) => html`<rect x=${x - 4} y=${y - 4} width="8" height="8" />` },
};

export function ScalingCurve() {
  const [file, setFile] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => void get("/page/scaling.json").then(setFile, setProblem), []);
  if (problem) return html`<${Refusal} problem=${problem} id="curve-problem" />`;
  if (!file) return html`<${Empty}>${t("loading")}<//>`;
  const measured = curves(file);
  return measured.length === 0 ? html`<${Empty}>${t("curve.nothing")}<//>` : html`<${Figure} file=${file} measured=${measured} />`;
}

function Figure({ file, measured }) {
  const [table, setTable] = useState(false);
  const says = measured.map(({ broker, steps }) => t("curve.says", { broker, n: number(steps.at(-1).consumers), times: number(steps.at(-1).times, 2) }));
  return html`<figure class="chart" data-testid="scaling-curve">
    <figcaption>
      <h3>${t("curve.title")}</h3>
      <ul class="legend">${measured.map(({ broker }) => html`<li key=${broker}><${Key} class=${LOOKS[broker].color} dash=${LOOKS[broker].dash} />${broker}</li>`)}<li><${Key} class="ideal" />${t("curve.ideal")}</li></ul>
      <button type="button" class="quiet" aria-expanded=${table} data-testid="table-scaling-curve" onClick=${() => setTable(!table)}>${t(table ? "as-chart" : "as-table")}</button>
      <p class="says">${says.join(" ")} ${t("curve.measured", { at: file.measured_at ? dateTime(file.measured_at) : UNKNOWN, commit: file.commit ?? UNKNOWN, machine: file.machine ?? UNKNOWN })}</p>
    </figcaption>
    <${Picture} measured=${measured} />
    ${table && html`<${Table} measured=${measured} />`}
  </figure>`;
}

function Key({ class: color, dash }) {
  return html`<svg class="key" viewBox="0 0 24 8" aria-hidden="true"><line class=${color} x1="0" y1="4" x2="24" y2="4" stroke-dasharray=${dash} /></svg>`;
}

function Picture({ measured }) {
  const { ticks, ideal, lines } = picture(measured);
  const { width, height, left, right, top, bottom } = SIZE;
  return html`<svg class="curve" viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
    ${ticks.map(({ tick, x, y }) => html`<g key=${tick}>
      <path class="grid" d=${`M${x} ${top}V${height - bottom}M${left} ${y}H${width - right}`} />
      <text x=${x} y=${height - bottom + 18} text-anchor="middle">${number(tick)}</text>
      <text x=${left - 8} y=${y + 4} text-anchor="end">${number(tick)}×</text>
    </g>`)}
    <text x=${width / 2} y=${height - 4} text-anchor="middle">${t("curve.consumers")}</text>
    <line class="ideal" x1=${ideal[0]} y1=${ideal[1]} x2=${ideal[2]} y2=${ideal[3]} />
    ${lines.map(({ broker, points }) => html`<${Line} key=${broker} look=${LOOKS[broker]} points=${points} />`)}
  </svg>`;
}

function Line({ look: { color, dash, label: [right, down, anchor], point }, points }) {
  return html`<g class=${color}>
    <polyline points=${points.map(({ x, y }) => `${x},${y}`).join(" ")} stroke-dasharray=${dash} />
    ${points.map(({ x, y }) => point(x, y))}
    ${points.map(({ x, y, per_s }) => html`<text x=${x + right} y=${y + down} text-anchor=${anchor}>${rate(per_s)}</text>`)}
  </g>`;
}

function Table({ measured }) {
  const percent = (share) => (Number.isFinite(share) ? `${number(100 * share, 1)} %` : UNKNOWN);
  return html`<div class="scroll"><table><caption class="unseen">${t("curve.title")}</caption>
    <thead><tr><th scope="col">${t("curve.broker")}</th><th scope="col" class="n">${t("curve.consumers")}</th><th scope="col" class="n">${t("curve.rate")}</th><th scope="col" class="n">${t("curve.times")}</th><th scope="col" class="n">${t("curve.share")}</th></tr></thead>
    <tbody>${measured.flatMap(({ broker, steps }) => steps.map((step) => html`<tr key=${`${broker}-${step.consumers}`}><th scope="row">${broker}</th><td class="n">${number(step.consumers)}</td><td class="n">${rate(step.per_s)}</td><td class="n">${number(step.times, 2)}</td><td class="n">${percent(step.of_ideal)}</td></tr>`))}</tbody>
  </table></div>`;
}
