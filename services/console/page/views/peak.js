// Peak shaving: what arrives, what leaves, and how long the difference waits.
import { Chart } from "../charts.js";
import { age, bounded, duration, milliseconds, number, rate } from "../format.js";
import { forecast } from "../forecast.js";
import { growing, serverNow } from "../frames.js";
import { useHistory } from "../history.js";
import { Figure } from "../parts.js";
import { arrivalOf, cumulative } from "../series.js";
import { t } from "../text.js";
import { html, useMemo, useState } from "../ui.js";
import { FlashSale } from "./flash.js";

const WINDOWS = [120, 300, 600];

export function PeakView({ state }) {
  const [seconds, setSeconds] = useState(120);
  const rows = useHistory(seconds);
  const peak = state.frame?.peak ?? {};
  const data = useMemo(() => columns(rows), [rows]);
  const to = rows.at.at(-1) ?? serverNow(state) / 1000;
  const span = [to - seconds, to];
  const depth = bounded(peak.depth);
  // Nothing that waits has no age that could grow.
  const waits = age(peak.depth === 0 ? 0 : growing(peak.age_s), peak.age_at_least && peak.depth !== 0);
  const at = (i) => words(rows, i);
  return html`<div class="peak">
    <section class="charts">
      <header class="view-head"><h1>${t("peak.title")}</h1>
        <div class="segments" role="group" aria-label=${t("peak.window")}>${WINDOWS.map((w) => html`<button type="button" key=${w} aria-pressed=${w === seconds} data-testid=${`window-${w}`} onClick=${() => setSeconds(w)}>${duration(w)}</button>`)}</div>
      </header>
      <${Chart} id="cumulative" title=${t("peak.cumulative")} says=${(i) => t("peak.cumulative-says", at(i))} window=${span} height=${232} data=${data.cumulative}
        series=${[line("peak.arrived", "series-a", total, undefined, "y", whole), line("peak.departed", "series-b", total, [6, 3])]} overlay=${(u, color) => distances(u, color, data.cumulative, at(rows.at.length - 1))} />
      <${Chart} id="rate" title=${t("peak.rates")} says=${(i) => t("peak.rates-says", at(i))} window=${span} data=${data.rate}
        series=${[line("peak.in", "series-a", rate), line("peak.out", "series-b", rate, [6, 3])]} />
      <${Chart} id="depth" title=${t("peak.depth-age")} says=${(i) => t("peak.depth-age-says", at(i))} window=${span} data=${data.depth}
        series=${[line("peak.depth", "series-a", bounded, undefined, "y", whole), line("peak.age", "series-c", duration, [2, 3], "age", duration)]} />
      <${Chart} id="latency" title=${t("peak.latency")} says=${(i) => t("peak.latency-says", at(i))} window=${span} data=${data.latency}
        series=${[line("peak.p50", "series-b", milliseconds), line("peak.p99", "series-c", milliseconds, [2, 3])]} />
      <${Chart} id="instances" title=${t("peak.instances-title")} says=${(i) => t("peak.instances-says", at(i))} window=${span} height=${88} data=${data.instances}
        series=${[{ ...line("peak.instances", "series-a", total, undefined, "y", whole), stepped: true }]} />
    </section>
    <div class="side">
      <section class="panel"><h2>${t("peak.now")}</h2>
        <p class="forecast" data-testid="forecast" data-kind=${peak.forecast?.kind ?? "unknown"}>${forecast(peak.forecast, serverNow(state))}</p>
        <dl class="tiles">
          <${Figure} label=${t("peak.in")} value=${rate(peak.in_per_s)} source=${t("source.queue")} at=${state.frame?.at} testid="peak-in" />
          <${Figure} label=${t("peak.out")} value=${rate(peak.out_per_s)} source=${t("source.queue")} at=${state.frame?.at} testid="peak-out" />
          <${Figure} label=${t("peak.depth")} value=${depth} word=${t("unit.messages")} source=${t("source.queue")} at=${state.frame?.at} testid="peak-depth" />
          <${Figure} label=${t("peak.age")} value=${waits} source=${t("source.age")} at=${state.frame?.at} testid="peak-age" />
          <${Figure} label="p50" value=${milliseconds(state.frame?.orders?.p50_ms)} source=${t("source.orders")} at=${state.frame?.at} testid="peak-p50" />
          <${Figure} label="p99" value=${milliseconds(state.frame?.orders?.p99_ms)} source=${t("source.orders")} at=${state.frame?.at} testid="peak-p99" />
        </dl>
      </section>
      <${FlashSale} state=${state} />
    </div>
  </div>`;
}

/** What is known at one second, in words. */
function words(rows, i) {
  return {
    depth: bounded(rows.depth[i]),
    age: duration(rows.age_s[i]),
    in: rate(rows.in_per_s[i]),
    out: rate(rows.out_per_s[i]),
    p50: milliseconds(rows.p50_ms[i]),
    p99: milliseconds(rows.p99_ms[i]),
    n: number(rows.instances[i]),
  };
}

function line(key, color, text, dash, scale, axis = text) {
  return { label: t(key), color, text, dash, scale, axis };
}

const total = (value) => number(value);

/** At the axis of what is counted, a part of one has no name. */
const whole = (value) => (Number.isInteger(value) ? number(value) : "");

function columns(rows) {
  return {
    cumulative: cumulative(rows),
    rate: [[...rows.at], rows.in_per_s, rows.out_per_s],
    depth: [[...rows.at], rows.depth, rows.age_s],
    latency: [[...rows.at], rows.p50_ms, rows.p99_ms],
    instances: [[...rows.at], rows.instances],
  };
}

/** The two distances between the curves: what waits is the height, how long it waits is the width. */
function distances(u, color, [times, arrived, departed], { depth, age: waits }) {
  const last = times.length - 1;
  const [high, low] = [arrived[last], departed[last]];
  if (last < 1 || high === null || low === null || high === undefined) return;
  const ratio = devicePixelRatio;
  const [x, top, bottom] = [u.valToPos(times[last], "x", true), u.valToPos(high, "y", true), u.valToPos(low, "y", true)];
  const ctx = u.ctx;
  ctx.save();
  ctx.strokeStyle = color("--text");
  ctx.fillStyle = color("--text");
  ctx.lineWidth = ratio;
  ctx.font = `600 ${12 * ratio}px system-ui, "WenQuanYi Micro Hei", sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.setLineDash([]);
  stroke(ctx, x + 4 * ratio, top, x + 4 * ratio, bottom);
  ctx.fillText(depth, x + 10 * ratio, Math.min((top + bottom) / 2, u.bbox.top + u.bbox.height - 8 * ratio));
  const since = arrivalOf(times, arrived, low);
  if (since !== null) {
    const left = Math.max(u.valToPos(since, "x", true), u.bbox.left);
    if (x - left > 4 * ratio) {
      stroke(ctx, left, bottom, x, bottom);
      stroke(ctx, left, bottom - 4 * ratio, left, bottom + 4 * ratio);
      // Where the line is too short for its label, the label stands before it.
      const short = x - left < ctx.measureText(waits).width + 16 * ratio;
      ctx.textAlign = short ? "right" : "center";
      ctx.fillText(waits, short ? left - 6 * ratio : (left + x) / 2, short ? bottom - 10 * ratio : bottom + 10 * ratio);
    }
  }
  ctx.restore();
}

function stroke(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
