// Charts over one time axis with one crosshair. uPlot draws; this file says how, and hands over the numbers.
import { clock } from "./format.js";
import { roundUp } from "./series.js";
import { settings } from "./settings.js";
import { t } from "./text.js";
import { html, store, useEffect, useLayoutEffect, useRef, useState, useStore } from "./ui.js";

/** The index of the time under the crosshair, or null: every chart shows its values there. */
export const crosshair = store(null);

/**
 * A chart with a sentence, and with its numbers as a table behind a button.
 * `series`: `{label, color, dash, scale, text, axis}`; `data`: `[times, ...values]`; `says` makes the sentence of one index,
 * or of -1 when there is none; `overlay` draws upon the canvas.
 */
export function Chart({ id, title, says, series, data, window: [from, to], height = 120, overlay }) {
  const [table, setTable] = useState(false);
  const at = useStore(crosshair);
  const times = data[0];
  const index = at !== null && at < times.length ? at : times.length - 1;
  return html`<figure class="chart" data-testid=${`chart-${id}`}>
    <figcaption>
      <h2>${title}</h2>
      <ul class="legend">${series.map((s, i) => html`<li key=${s.label}><svg class="key" viewBox="0 0 24 8" aria-hidden="true"><line class=${s.color} x1="0" y1="4" x2="24" y2="4" stroke-dasharray=${s.dash?.join(" ")} /></svg>${s.label} <b>${index >= 0 ? s.text(data[i + 1][index]) : "?"}</b></li>`)}</ul>
      <button type="button" class="quiet" aria-expanded=${table} data-testid=${`table-${id}`} onClick=${() => setTable(!table)}>${t(table ? "as-chart" : "as-table")}</button>
      <p class="says">${says(index)}</p>
    </figcaption>
    <${Plot} id=${id} series=${series} data=${data} from=${from} to=${to} height=${height} overlay=${overlay} />
    ${table && html`<${Table} title=${title} series=${series} data=${data} />`}
  </figure>`;
}

/** The newest values, one row a second. */
function Table({ title, series, data }) {
  const rows = data[0].map((time, i) => [time, i]).slice(-30).reverse();
  return html`<div class="scroll"><table><caption class="unseen">${title}</caption>
    <thead><tr><th scope="col">${t("col.time")}</th>${series.map((s) => html`<th scope="col" class="n" key=${s.label}>${s.label}</th>`)}</tr></thead>
    <tbody>${rows.map(([time, i]) => html`<tr key=${time}><th scope="row">${clock(time * 1000)}</th>${series.map((s, k) => html`<td class="n" key=${s.label}>${s.text(data[k + 1][i])}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

function Plot({ id, series, data, from, to, height, overlay }) {
  const place = useRef(null);
  const plot = useRef(null);
  const now = useRef({});
  const chosen = useStore(settings);
  const scheme = useScheme();
  const ready = useLibrary();
  now.current = { from, to, overlay };
  useLayoutEffect(() => {
    if (!ready) return undefined;
    plot.current = new globalThis.uPlot(options(place.current, series, height, now), data, place.current);
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: place.current.clientWidth, height }));
    resized.observe(place.current);
    return () => {
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [chosen, scheme, height, ready]);
  useLayoutEffect(() => {
    plot.current?.setData(data, true);
  }, [data]);
  return html`<div class=${`plot plot-${id}`} ref=${place} style=${{ minHeight: `${height}px` }} aria-hidden="true"></div>`;
}

function options(place, series, height, now) {
  const color = (name) => resolved(place, name);
  const grid = { stroke: color("--line"), width: 1 };
  const axis = { stroke: color("--muted"), grid, ticks: { show: false }, font: `11px ${getComputedStyle(place).fontFamily}`, gap: 4 };
  const scales = [...new Set(series.map((s) => s.scale ?? "y"))];
  const unit = (scale) => series.find((s) => (s.scale ?? "y") === scale).axis;
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    padding: [8, scales.length > 1 ? 0 : 64, 0, 0],
    cursor: { sync: { key: "spillway" }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: () => [now.current.from, now.current.to] },
      ...Object.fromEntries(scales.map((scale) => [scale, { range: steady() }])),
    },
    axes: [
      { ...axis, size: 20, values: (_, ticks) => ticks.map((tick) => clock(tick * 1000).slice(0, 8)), space: 90 },
      ...scales.map((scale, i) => ({ ...axis, scale, side: i === 0 ? 3 : 1, size: 64, space: 28, grid: i === 0 ? grid : { show: false }, values: (_, ticks) => ticks.map((tick) => unit(scale)(tick)) })),
    ],
    series: [
      {},
      ...series.map((s) => ({ scale: s.scale ?? "y", stroke: color(`--${s.color}`), width: 1.5, dash: s.dash, points: { show: false }, paths: s.stepped ? globalThis.uPlot.paths.stepped({ align: 1 }) : undefined })),
    ],
    hooks: {
      draw: [(u) => now.current.overlay?.(u, color)],
      setCursor: [(u) => {
        const index = u.cursor.left >= 0 ? u.cursor.idx : null;
        if (index !== crosshair.get()) crosshair.set(index ?? null);
      }],
    },
  };
}

/** A y axis from 0 that grows in round steps and never shrinks by itself, so that a curve keeps its meaning. */
function steady() {
  let top = 0;
  return (_, __, max) => {
    if (max !== null && max > top) top = roundUp(max * 1.05);
    return [0, top || 1];
  };
}

/** A canvas does not understand tokens: their colour has to be asked of an element. */
function resolved(place, token) {
  const before = place.style.color;
  place.style.color = `var(${token})`;
  const color = getComputedStyle(place).color;
  place.style.color = before;
  return color;
}

let library = null;

/** Whether the drawing library is there. It is the largest file of the page, and only charts need it. */
function useLibrary() {
  const [ready, setReady] = useState(Boolean(globalThis.uPlot));
  useEffect(() => {
    library ??= new Promise((loaded, failed) => {
      const script = document.createElement("script");
      script.src = "/page/vendor/uPlot.iife.min.js";
      script.addEventListener("load", loaded);
      script.addEventListener("error", failed);
      document.head.append(script);
    });
    // The next chart asks for it again.
    library.then(() => setReady(true), () => (library = null));
  }, []);
  return ready;
}

function useScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const [matches, setMatches] = useState(dark.matches);
  useEffect(() => {
    const changed = () => setMatches(dark.matches);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, []);
  return matches;
}
