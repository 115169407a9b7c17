// The things in the picture. Each is a link to its details, so that the keyboard reaches it; its label says in words
// what is drawn inside.
import { bounded, clock, duration, number, rate, UNKNOWN } from "../format.js";
import { growing } from "../frames.js";
import { known, t } from "../text.js";
import { html } from "../ui.js";
import { LOG, QUEUE, SERVICE } from "./layout.js";
import { control, delaysOf, fill, group, queue, said, service, sum, together, topic } from "./model.js";

/** More than this do not fit; the number beside them says how many there are. */
const DOTS = 8;

export function Service({ frame, place }) {
  const { name, x } = place;
  const left = x - SERVICE.width / 2;
  const instances = service(frame, name)?.instances;
  const count = instances?.length;
  const state = stateOf(frame, name, count);
  const label = [name, t("flow.instances", { n: count ?? UNKNOWN }), state && t(`flow.${state.word}`), t("flow.service-source", { at: clock(frame.at) })].filter(Boolean).join(", ");
  return html`<a href=${`#/flow/${name}`} data-testid=${`service-${name}`} data-kind=${state?.kind}>
    <title>${label}</title><g>
    <rect class="service" x=${left} y=${SERVICE.top} width=${SERVICE.width} height=${SERVICE.height} rx="4" />
    <text class="name" x=${left + 12} y=${SERVICE.top + 22}>${name}</text>
    <text class="value" x=${left + SERVICE.width - 12} y=${SERVICE.top + 22} text-anchor="end">${`× ${count ?? UNKNOWN}`}</text>
    ${Array.from({ length: Math.min(count ?? 0, DOTS) }, (_, i) => html`<circle key=${i} class="instance" cx=${left + 18 + i * 15} cy=${SERVICE.top + 40} r="5" />`)}
    ${count === 0 && html`<text class="note" x=${left + 12} y=${SERVICE.top + 44}>${t("flow.none")}</text>`}
    <text class="note" x=${left + 12} y=${SERVICE.top + 72}>${state ? `${SHAPES[state.kind]} ${t(`flow.${state.word}`)}` : doing(frame, name)}</text>
  </g></a>`;
}

export function Queue({ frame, place }) {
  const { name, x, delays, lines } = place;
  const q = delays ? together(delaysOf(frame, name)) : queue(frame, name);
  const dead = name === "dead-letters";
  // The console takes them out of their queue: what waits for somebody waits in its store.
  const depth = dead ? sum([q?.depth, frame.letters?.open]) : q?.depth;
  const full = fill(depth);
  const left = x - QUEUE.width / 2;
  const height = Math.round((QUEUE.height - 4) * full);
  const bad = delays ? null : said(frame, name)?.level;
  const retries = delays && lines?.[0] === "flow.retries-1";
  const kind = depth > 0 && (dead || retries) ? "error" : { error: "error", warning: "wait" }[bad];
  const dot = name.indexOf(".");
  const [first, second] = lines ? lines.map((key) => t(key)) : dot < 0 ? [null, name] : [name.slice(0, dot + 1), name.slice(dot + 1)];
  const age = depth > 0 && q.age_s !== null && q.age_s !== undefined ? `${q.age_at_least ? "≥ " : ""}${duration(growing(q.age_s))}` : null;
  const whole = delays ? `${first} ${second} (${name})` : name;
  const label = t("flow.queue-label", { name: whole, depth: bounded(depth), age: age ?? t("flow.no-age"), at: clock(q?.at) });
  return html`<a href=${dead ? "#/letters" : `#/flow/${delays ? `delays:${name}` : name}`} data-testid=${delays ? `delays-${name}` : `queue-${name}`} data-kind=${kind}>
    <title>${label}</title><g>
    ${first && html`<text class="small" x=${x} y="66" text-anchor="middle">${first}</text>`}
    <text class="label" x=${x} y="80" text-anchor="middle">${second}</text>
    <path class=${delays ? "queue delayed" : "queue"} d=${`M ${left} ${QUEUE.top} V ${QUEUE.top + QUEUE.height} H ${left + QUEUE.width} V ${QUEUE.top}`} />
    <rect class="fill" x=${left + 2} y=${QUEUE.top + QUEUE.height - 2 - height} width=${QUEUE.width - 4} height=${height} />
    <text class=${bounded(depth).length > 5 ? "depth long" : "depth"} x=${x} y=${QUEUE.top + 46} text-anchor="middle">${bounded(depth)}</text>
    <text class="small" x=${x} y=${QUEUE.top + 64} text-anchor="middle">${age ?? ""}</text>
  </g></a>`;
}

export function Exchange({ place }) {
  const { name, x, y } = place;
  return html`<g><path class="exchange" d=${`M ${x - 20} ${y} L ${x} ${y - 20} L ${x + 20} ${y} L ${x} ${y + 20} Z`} />
    <title>${t("flow.exchange", { name })}</title>
    <text class="small" x=${x} y=${y - 40} text-anchor="middle">${t("flow.exchange-word")}</text>
    <text class="label" x=${x} y=${y - 26} text-anchor="middle">${name}</text></g>`;
}

export function Log({ frame, place }) {
  const { name, y, readers } = place;
  const log = topic(frame, name);
  const top = y - LOG.height / 2;
  const lags = readers.map(([reader, x]) => ({ reader, x, group: group(frame, name, reader) }));
  const bad = said(frame, name);
  const label = t("flow.log-label", { name, in: rate(log?.in_per_s), lags: lags.map((l) => `${l.reader} ${number(l.group?.lag)}`).join(", "), at: clock(log?.at) });
  return html`<a href=${`#/flow/${name}`} data-testid=${`topic-${name}`} data-kind=${bad ? kindOf(bad.level) : undefined}>
    <title>${label}</title><g>
    <rect class="log" x=${LOG.left} y=${top} width=${LOG.right - LOG.left} height=${LOG.height} rx="13" />
    <path class="records" d=${`M ${LOG.right - 14} ${y} H ${LOG.left + 14}`} />
    <text class="label" x="366" y=${y + 4}>${name}</text>
    <text class="small" x="596" y=${y + 4}>${t("flow.log-in", { in: rate(log?.in_per_s) })}</text>
    ${lags.map(({ reader, x, group: g }) => html`<g key=${reader} data-kind=${g?.lag > 0 && bad ? "error" : undefined}>
      <circle class="reader" cx=${x} cy=${y} r="4" />
      <text class="small" x=${reader === "console" ? x - 9 : x + 9} y=${y + 4} text-anchor=${reader === "console" ? "end" : "start"}>${lagText(g)}</text></g>`)}
  </g></a>`;
}

/** Lag, and how old the oldest record is that the group has not handled. */
function lagText(g) {
  const lag = t("flow.lag", { lag: bounded(g?.lag) });
  return g?.lag > 0 && g.age_s !== null && g.age_s !== undefined ? `${lag}, ${duration(growing(g.age_s))}` : lag;
}

const SHAPES = { error: "✕", wait: "◆", ok: "●" };

function stateOf(frame, name, count) {
  const c = control(frame, name);
  if (count === 0) return { kind: "error", word: "stopped" };
  if (c?.pause) return { kind: "wait", word: "paused" };
  if (c?.fail_percent > 0) return { kind: "error", word: "failing" };
  if (c?.slow_ms > 0) return { kind: "wait", word: "slowed" };
  if (c?.refuse_email) return { kind: "error", word: "refusing" };
  return null;
}

/** What a service does at the moment, in one line. */
function doing(frame, name) {
  if (name === "order") return t("flow.pending", { n: bounded(frame.orders?.pending) });
  if (name === "inventory") return t("flow.decided", { rate: rate(queue(frame, "inventory.stock-commands")?.out_per_s) });
  if (name === "notification") return t("flow.told", { rate: rate(group(frame, "order-events", "notification")?.out_per_s) });
  return known("flow.watching", "");
}

function kindOf(level) {
  return level === "error" ? "error" : "wait";
}
