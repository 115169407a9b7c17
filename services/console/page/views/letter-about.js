// What came with a letter and what was done to it: headers, edits, history.
import { number } from "../format.js";
import { valueText } from "../letters.js";
import { Empty, Time } from "../parts.js";
import { known, t } from "../text.js";
import { html } from "../ui.js";
import { Body } from "./letter-body.js";

export function Headers({ letter }) {
  const headers = letter.headers ?? [];
  const properties = Object.entries(letter.properties ?? {}).filter(([, value]) => value !== null);
  return html`<section class="panel"><h2>${t("letter.headers")} <span class="muted">${number(headers.length)}</span></h2>
    ${headers.length === 0 ? html`<${Empty}>${t("letter.no-headers")}<//>` : html`<${Pairs} rows=${headers.map(({ name, value, encoding }) => [name, value, encoding === "text" ? null : encoding])} />`}
    ${properties.length > 0 && html`<details><summary>${t("letter.properties")}</summary><${Pairs} rows=${properties.map(([name, value]) => [name, valueText(value), null])} /></details>`}
  </section>`;
}

function Pairs({ rows }) {
  return html`<table class="facts pairs"><thead class="unseen"><tr><th scope="col">${t("letter.name")}</th><th scope="col">${t("letter.value")}</th></tr></thead>
    <tbody>${rows.map(([name, value, encoding], i) => html`<tr key=${i}><th scope="row"><code class="foreign">${name}</code></th><td><${Long} text=${value} />${encoding && html` <span class="muted">(${encoding})</span>`}</td></tr>`)}</tbody></table>`;
}

/** The newest edit first, each as what it changed; the original stays as it came. */
export function Revisions({ letter }) {
  const revisions = letter.revisions ?? [];
  if (revisions.length === 0) return null;
  return html`<section class="panel" data-testid="letter-revisions"><h2>${t("letter.revisions")}</h2>
    ${revisions.map(({ number: n, by, at, changes }) => html`<article key=${n}>
      <h3>${t("letter.revision-by", { n, by })} <${Time} at=${at} /></h3>
      <table class="diff stack"><thead><tr><th scope="col">${t("letter.pointer")}</th><th scope="col">${t("letter.before")}</th><th scope="col">${t("letter.after")}</th></tr></thead>
        <tbody>${(changes ?? []).map((change, i) => html`<tr key=${i}><td data-label=${t("letter.pointer")}><${Place} pointer=${change.pointer} /></td>
          <td data-label=${t("letter.before")}><${Value} mark="−" value=${change.before} /></td><td data-label=${t("letter.after")}><${Value} mark="+" value=${change.after} /></td></tr>`)}</tbody></table>
    </article>`)}
    ${letter.original && html`<details data-testid="letter-original"><summary>${t("letter.original")}</summary>
      <p><code class="foreign">${letter.original.message_type ?? "?"}</code> · <code class="foreign">${letter.original.message_id ?? t("letter.no-id")}</code></p>
      <${Body} body=${letter.original.body} testid="letter-original-body" /></details>`}
  </section>`;
}

/** A place in the body, or what an edit can change beside it: no JSON pointer is like these. */
function Place({ pointer }) {
  const word = { "": "letter.whole-body", type: "letter.type", id: "letter.message-id" }[pointer];
  return word ? t(word) : html`<code class="foreign">${pointer}</code>`;
}

function Value({ value, mark }) {
  const text = valueText(value);
  if (text === null) return html`<span class="muted">${t("letter.nothing")}</span>`;
  if (text === "") return html`<span class="muted">${t("letter.empty-text")}</span>`;
  return html`<${Long} text=${`${mark} ${text}`} kind=${mark === "+" ? "after" : "before"} />`;
}

/** A text of any length in little room. What scrolls can be reached by keyboard. */
function Long({ text, kind = "" }) {
  const scrolls = text.length > 300 || text.split("\n").length > 5;
  return html`<span class=${`foreign block small ${kind}`} tabindex=${scrolls ? 0 : undefined}>${text}</span>`;
}

export function History({ entries }) {
  return html`<section class="panel" data-testid="letter-history"><h2>${t("letter.history")}</h2>
    ${entries.length === 0 ? html`<${Empty}>${t("letter.no-history")}<//>` : html`<ol class="entries" tabindex="0" aria-label=${t("letter.history")}>${entries.map((entry, i) => html`<li key=${i}>
      <${Time} at=${entry.at} /> <b>${known(`letter.did.${entry.what}`, entry.what)}</b> <bdi class="muted">${entry.who}</bdi>
      ${entry.detail && html`<${Long} text=${entry.detail} />`}</li>`)}</ol>`}
  </section>`;
}
