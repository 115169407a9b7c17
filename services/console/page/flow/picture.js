// The picture of the whole system, of one size, that is scaled to what the window has left.
import { clock, rate } from "../format.js";
import { t } from "../text.js";
import { html, useRef } from "../ui.js";
import { useDots } from "./dots.js";
import { CUSTOMERS, EDGES, EXCHANGES, HEIGHT, KAFKA, LOGS, QUEUES, RABBITMQ, SERVICES, WIDTH } from "./layout.js";
import { Exchange, Log, Queue, Service } from "./shapes.js";

export function Picture({ frame, stale }) {
  const layer = useRef(null);
  useDots(layer, frame, stale);
  return html`<svg class="flow" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="xMidYMin" role="group" aria-label=${t("flow.title")} data-testid="flow">
    <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M 0 0 L 8 4 L 0 8 Z" /></marker></defs>
    <${Broker} name="RabbitMQ" broker=${frame.brokers?.rabbitmq} place=${RABBITMQ} hint="flow.rabbitmq-hint" />
    <${Broker} name="Kafka" broker=${frame.brokers?.kafka} place=${KAFKA} hint="flow.kafka-hint" low=${true} />
    ${EDGES.map((edge) => html`<path key=${edge.id} class=${edge.quiet ? "edge quiet-edge" : "edge"} d=${edge.d} marker-end="url(#tip)" />`)}
    <g ref=${layer} aria-hidden="true"></g>
    ${LOGS.map((place) => html`<${Log} key=${place.name} frame=${frame} place=${place} />`)}
    <g><circle class="customers" cx=${CUSTOMERS.x + 8} cy=${CUSTOMERS.y} r="22" /><text class="small" x=${CUSTOMERS.x + 8} y=${CUSTOMERS.y + 40} text-anchor="middle">${t("flow.customers")}</text></g>
    ${EXCHANGES.map((place) => html`<${Exchange} key=${place.name} place=${place} />`)}
    ${QUEUES.map((place) => html`<${Queue} key=${`${place.name}${place.delays}`} frame=${frame} place=${place} />`)}
    ${SERVICES.map((place) => html`<${Service} key=${place.name} frame=${frame} place=${place} />`)}
    ${EDGES.filter((edge) => edge.label).map((edge) => html`<text key=${edge.id} class="rate" x=${edge.label[0]} y=${edge.label[1]} text-anchor=${edge.label[2] ?? "middle"} data-testid=${`rate-${edge.id}`}>${rate(edge.rate(frame))}<title>${t("flow.rate-source", { at: clock(frame.at) })}</title></text>`)}
    <text class="small" x="1138" y="33" text-anchor="end">${t("flow.failed")}</text>
  </svg>`;
}

/** The ground on which a broker's queues or logs stand, with its state in words. */
function Broker({ name, broker, place, hint, low = false }) {
  const up = broker?.up;
  const kind = up === true ? "ok" : up === false ? "error" : "off";
  const word = up === true ? t("broker.up") : up === false ? t("broker.away") : t("broker.unknown");
  const shape = { ok: "●", error: "✕", off: "?" }[kind];
  const y = low ? place.bottom - 10 : place.top + 22;
  return html`<g data-testid=${`broker-${name.toLowerCase()}`} data-kind=${kind}>
    <rect class="broker" x="8" y=${place.top} width=${WIDTH - 16} height=${place.bottom - place.top} rx="4" />
    <text class="broker-name" x="20" y=${y}>${name} <tspan class="broker-state">${shape} ${word}</tspan></text>
    <text class="small" x="184" y=${y}>${t(hint)}</text>
  </g>`;
}
