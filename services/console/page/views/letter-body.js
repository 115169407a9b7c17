// The body of a letter as text or as bytes, and the way into its editor.
import { bringFile, bytes } from "../api.js";
import { asText, fromHex, hexdump, unseen } from "../bytes.js";
import { number } from "../format.js";
import { Refusal, State, Time } from "../parts.js";
import { setting } from "../settings.js";
import { t } from "../text.js";
import { html, useEffect, useMemo, useRef, useState } from "../ui.js";
import { Editor } from "./letter-editor.js";

/** A table of more bytes than this helps nobody; the download has them all. */
const DUMPED = 65_536;

export function Content({ letter, readonly, again, onEditing }) {
  const [editing, setEditing] = useState(null);
  const [whole, setWhole] = useState(null);
  const [problem, setProblem] = useState(null);
  const offered = useRef(false);
  const path = `/api/console/letters/${encodeURIComponent(letter.id)}/body`;
  const may = letter.state === "open" && !readonly;
  // A draft outlives the edits of others; what it began with has to be there still, unless it is one's own.
  const isOwn = letter.draft?.by === setting("name").trim();
  const kept = letter.draft && (isOwn || letter.draft.base === letter.revision) ? letter.draft : null;
  useEffect(() => setWhole(null), [letter.revision]);
  /** The body as far as it can be one: with more text than was shown at first, it is fetched. */
  const fetchWhole = async () => {
    try {
      const all = await bytes(path);
      const fetched = { text: asText(all), all };
      setWhole(fetched);
      setProblem(null);
      return fetched;
    } catch (refused) {
      setProblem(refused);
      return null;
    }
  };
  const edit = (start) => {
    setEditing(start);
    onEditing(start !== null);
  };
  const begin = async (draft = null) => {
    const { text, size, shown } = letter.body;
    const known = text !== null && shown >= size ? { text } : size === 0 ? { text: "" } : await fetchWhole();
    if (known) edit({ text: known.text, draft, letter });
  };
  useEffect(() => {
    // One's own draft is shown again by itself, but only when the letter is opened.
    if (!offered.current && may && isOwn) begin(kept);
    offered.current = true;
  }, []);
  const close = () => {
    edit(null);
    again();
    document.getElementById("body-title")?.focus();
  };
  return html`<section class="panel" aria-labelledby="body-title">
    <header class="view-head"><h2 id="body-title" tabindex="-1">${t("letter.body")} <span class="muted">${t("letter.size", { n: number(letter.body.size) })}${letter.revision > 0 && html` · ${t("letter.revision", { n: letter.revision })}`}</span></h2>
      <div class="actions"><a class="button quiet" href=${path} data-file="letter" onClick=${bringFile} download data-testid="letter-download">${t("letter.download")}</a>
        ${may && !editing && html`<button type="button" data-testid="letter-edit" onClick=${() => begin(kept)}>${t(kept ? "letter.edit-draft" : "letter.edit")}</button>`}</div></header>
    <${Refusal} problem=${problem} id="letter-body-problem" />
    ${kept && !editing && may && html`<p class="muted" data-testid="letter-draft">${t("letter.draft-by", { by: kept.by })} <${Time} at=${kept.at} /></p>`}
    ${editing
      ? html`<${Editor} start=${editing} letter=${letter} again=${again} done=${close} />`
      : html`<${Body} body=${letter.body} whole=${whole} more=${fetchWhole} />`}
  </section>`;
}

export function Body({ body, whole, more, testid = "letter-body" }) {
  const text = whole ? whole.text : body.text;
  const shown = useMemo(() => {
    if (text !== null) return text;
    return hexdump(whole ? whole.all.subarray(0, DUMPED) : fromHex(body.hex ?? ""));
  }, [text, whole, body.hex]);
  const strange = useMemo(() => (text === null ? [] : unseen(text)), [text]);
  const seen = whole ? (text === null ? Math.min(DUMPED, body.size) : body.size) : body.shown;
  return html`${body.size === 0 ? html`<p class="muted" data-testid=${testid}>${t("letter.empty")}</p>` : html`<pre class=${text === null ? "block hex" : "foreign block body"} data-testid=${testid} tabindex="0" role="region" aria-label=${t("letter.body")}>${shown}</pre>`}
    ${text === null && body.size > 0 && html`<p class="muted">${t("letter.hex")}</p>`}
    ${strange.length > 0 && html`<p data-testid="letter-unseen"><${State} kind="wait">${t("letter.unseen", { which: strange.map(({ name, n }) => `${name} × ${n}`).join(", ") })}<//></p>`}
    ${seen < body.size && html`<p class="actions"><span class="muted">${t("letter.shown", { shown: number(seen), size: number(body.size) })}</span>${more && !whole && html`<button type="button" class="quiet" data-testid="letter-whole" onClick=${more}>${t("letter.whole")}</button>`}</p>`}`;
}
