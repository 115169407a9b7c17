// Flow: the picture of everything, and the details of what was clicked.
import { Details } from "../flow/details.js";
import { Picture } from "../flow/picture.js";
import { FlowTable } from "../flow/table.js";
import { t } from "../text.js";
import { html, useState } from "../ui.js";

/** Before the first frame the picture stands there already, with `?` at every number. */
const NOTHING = { orders: {}, brokers: {}, services: [], queues: [], topics: [], controls: [], sentences: [] };

export function FlowView({ state, route }) {
  const [table, setTable] = useState(false);
  const frame = state.frame ?? NOTHING;
  return html`<figure class="flow-figure" data-table=${table}>
    <figcaption><h1>${t("flow.title")}</h1>
      <p class="muted">${t("flow.caption")}</p>
      <button type="button" class="quiet" data-testid="flow-as-table" aria-pressed=${table} onClick=${() => setTable(!table)}>${t(table ? "as-picture" : "as-table")}</button>
    </figcaption>
    <${Picture} frame=${frame} stale=${state.stale || !state.frame} />
    <${FlowTable} frame=${frame} />
    ${route.rest && state.frame && html`<${Details} frame=${frame} name=${route.rest} />`}
  </figure>`;
}
