// The editor of a letter: the raw text of its body, its type, and its id where it came without one.
import { bytes, intention, post, put } from "../api.js";
import { useAction } from "../acting.js";
import { asText, mixesLineEnds, withItsLineEnds } from "../bytes.js";
import { clock } from "../format.js";
import { isAbout, wrongs } from "../letters.js";
import { Refusal, State } from "../parts.js";
import { setting } from "../settings.js";
import { t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";

const PAUSE = 500;
const OTHER = " ";
/** What is wrong with these stands at their fields. */
const FIELDS = ["body", "message_type", "message_id"];

/** `start`: the text of the body or null when it is none, the draft to go on with or null, and the letter as it was. */
export function Editor({ start, letter, again, done }) {
  const original = { base: start.letter.revision, message_type: start.letter.message_type ?? "", message_id: start.letter.message_id, body: start.text ?? "" };
  const [edit, setEdit] = useState(start.draft ? only(start.draft) : original);
  const { busy, problem, nameless, act } = useAction("letter-name");
  const raw = useRef(edit.body);
  const path = `/api/console/letters/${encodeURIComponent(letter.id)}`;
  const change = (changed) => setEdit((before) => ({ ...before, ...changed }));
  const fixed = letter.message_id !== null;
  const content = (by) => ({ by, base: edit.base, message_type: edit.message_type.trim() || null, message_id: fixed ? null : edit.message_id?.trim() || null, body: edit.body });
  const draft = useDraft(`${path}/draft`, edit, content, start.draft);
  const newer = useNewer(letter, path, edit.base);
  // One's own edit may be heard of before the answer comes.
  const there = busy ? null : newer;

  const save = async (event) => {
    event.preventDefault();
    const answer = await act(async (by) => {
      await draft.stop();
      try {
        return await post(`${path}/revisions`, content(by));
      } catch (refused) {
        // Somebody was quicker: what they did stands in the letter.
        if (refused.status === 409) again();
        draft.go();
        throw refused;
      }
    });
    if (answer !== undefined) done();
  };
  const take = (mine) => {
    if (mine) return change({ base: there.base });
    raw.current = there.body;
    return setEdit(only(there));
  };
  const wrong = (field) => wrongs(problem, field);
  const elsewhere = problem && { ...problem, status: problem.status, title: problem.title, message: problem.message, errors: problem.errors.filter((error) => !FIELDS.some((field) => isAbout(error, field))) };
  return html`<form class="editor" onSubmit=${save}>
    <${Draft} draft=${draft} />
    <div class="editor-fields">
      <${Type} value=${edit.message_type} types=${letter.types ?? []} wrong=${wrong("message_type")} onChange=${(message_type) => change({ message_type })} />
      <${Identity} value=${letter.message_id ?? edit.message_id} fixed=${fixed} wrong=${wrong("message_id")} onChange=${(message_id) => change({ message_id })} />
    </div>
    ${start.text === null && html`<p class="reason">${t("editor.no-text")}</p>`}
    ${mixesLineEnds(raw.current) && html`<p class="reason">${t("editor.line-ends")}</p>`}
    <div class=${there ? "texts two" : "texts"}>
      <label class="field" for="letter-text"><span>${t(there ? "editor.mine" : "letter.body")}</span>
        <textarea id="letter-text" data-testid="letter-text" class="foreign" rows="16" spellcheck="false" autocomplete="off" autocapitalize="off" aria-invalid=${wrong("body").length > 0 ? "true" : undefined} aria-describedby="letter-body-wrong"
          value=${edit.body.replace(/\r\n?/g, "\n")} onInput=${(event) => change({ body: withItsLineEnds(event.target.value, raw.current) })}></textarea></label>
      ${there && html`<section class="field"><span>${t("editor.theirs", { by: there.by, n: there.base })}</span>
        <pre class="foreign block body" data-testid="letter-theirs" tabindex="0">${there.body ?? "?"}</pre></section>`}
    </div>
    <${Wrongs} id="letter-body-wrong" list=${wrong("body")} />
    ${there && html`<div class="conflict" role="alert" data-testid="letter-conflict"><p><${State} kind="wait">${t("editor.conflict")}<//></p>
      <div class="actions"><button type="button" data-testid="letter-take-theirs" disabled=${there.body === null} onClick=${() => take(false)}>${t("editor.take-theirs")}</button><button type="button" data-testid="letter-keep-mine" onClick=${() => take(true)}>${t("editor.keep-mine")}</button></div></div>`}
    <${Refusal} problem=${elsewhere} id="letter-save-problem" />
    ${nameless && html`<p class="refusal" role="alert">${t("name.missing")}</p>`}
    <div class="actions"><button type="submit" class="primary" data-testid="letter-save" disabled=${busy}>${t("editor.save")}</button>
      <button type="button" data-testid="letter-reset" onClick=${() => { raw.current = original.body; setEdit(original); }}>${t("editor.reset")}</button>
      <button type="button" data-testid="letter-close" onClick=${done}>${t("close")}</button><span class="muted">${t("editor.after")}</span></div>
  </form>`;
}

function Type({ value, types, wrong, onChange }) {
  const [typing, setTyping] = useState(false);
  const other = typing || (!types.includes(value) && value !== "");
  const options = [...(value === "" ? [""] : []), ...types];
  return html`<div class="field"><label for="letter-type">${t("letter.type")}</label>
    <select id="letter-type" data-testid="letter-type" onChange=${({ target }) => { setTyping(target.value === OTHER); if (target.value !== OTHER) onChange(target.value); }}>
      ${options.map((type) => html`<option key=${type} value=${type} selected=${!other && type === value}>${type || t("editor.no-type")}</option>`)}<option value=${OTHER} selected=${other}>${t("editor.other-type")}</option></select>
    ${other && html`<input data-testid="letter-type-other" aria-label=${t("editor.other-type")} class="foreign" value=${value} maxlength="255" spellcheck="false" autocomplete="off" onInput=${(event) => { setTyping(true); onChange(event.target.value); }} />`}
    <${Wrongs} list=${wrong} /></div>`;
}

function Identity({ value, fixed, wrong, onChange }) {
  const fresh = () => {
    const hex = intention();
    onChange(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`);
  };
  return html`<div class="field"><label for="letter-id">${t("letter.message-id")}</label>
    <span class="with-unit"><input id="letter-id" data-testid="letter-id" class="foreign" value=${value ?? ""} readonly=${fixed} spellcheck="false" autocomplete="off" aria-describedby="letter-id-hint" onInput=${(event) => onChange(event.target.value)} />${!fixed && html`<button type="button" class="quiet" data-testid="letter-new-id" onClick=${fresh}>${t("editor.new-id")}</button>`}</span>
    <span class="muted" id="letter-id-hint">${t(fixed ? "editor.id-fixed" : "editor.id-missing")}</span>
    <${Wrongs} list=${wrong} /></div>`;
}

/** What the server found wrong, each with the place in the body that it means. */
function Wrongs({ list, id }) {
  return html`<div role="alert" id=${id}>${list.length > 0 && html`<ul class="wrongs">${list.map(({ pointer, says }, i) => html`<li key=${i} class="wrong" data-testid="letter-wrong"><span aria-hidden="true">✕ </span>${pointer && html`<code class="foreign">${pointer}</code> `}<bdi>${says}</bdi></li>`)}</ul>`}</div>`;
}

function Draft({ draft }) {
  const kind = { saved: "ok", refused: "error" }[draft.state] ?? "wait";
  return html`<p class="draft" role="status" data-testid="letter-draft"><${State} kind=${kind}>${t(`draft.${draft.state}`, { at: draft.at ? clock(draft.at) : "", by: draft.by })}<//>${draft.problem && html` <span class="muted">${draft.problem.errors[0]?.message ?? draft.problem.message}</span>`}</p>`;
}

/** Keeps what is typed on the server, half a second after the last key: one draft for each person. */
function useDraft(path, edit, content, restored) {
  const by = setting("name").trim();
  const [shown, setShown] = useState(restored ? { state: "restored", at: restored.at, by: restored.by } : { state: "none", at: null, by });
  const kept = useRef(edit);
  const newest = useRef(null);
  const work = useRef({ timer: null, request: Promise.resolve() });
  newest.current = { edit, by, content };
  const send = () => {
    clearTimeout(work.current.timer);
    work.current.timer = null;
    const { edit: edited, by: who, content: made } = newest.current;
    if (edited === kept.current || who === "") return work.current.request;
    kept.current = edited;
    work.current.request = put(path, made(who)).then(({ at }) => setShown({ state: "saved", at, by: who }), (problem) => setShown({ state: "refused", at: null, by: who, problem }));
    return work.current.request;
  };
  useEffect(() => {
    if (edit === kept.current) return;
    setShown((before) => ({ ...before, state: by === "" ? "nameless" : "pending", problem: null }));
    clearTimeout(work.current.timer);
    if (by !== "") work.current.timer = setTimeout(send, PAUSE);
  }, [edit, by]);
  useEffect(() => () => void send(), []);
  return {
    ...shown,
    /** Waits for a draft that is on its way, and sends no more of them: a saved letter has none. */
    async stop() {
      clearTimeout(work.current.timer);
      kept.current = newest.current.edit;
      await work.current.request;
    },
    /** The edit was refused: it is a draft still. */
    go() {
      kept.current = null;
      send();
    },
  };
}

function only({ base, message_type, message_id, body }) {
  return { base, message_type: message_type ?? "", message_id, body: body ?? "" };
}

/** The newest revision, when the edit began with an older one. A text that is not shown at first is fetched. */
function useNewer(letter, path, base) {
  const [fetched, setFetched] = useState(null);
  const { revision } = letter;
  const missing = revision > base && letter.body.text === null;
  useEffect(() => {
    if (!missing) return;
    bytes(`${path}/body?revision=${revision}`).then((all) => setFetched({ revision, body: asText(all) }), () => setFetched(null));
  }, [missing, revision]);
  if (revision <= base) return null;
  const body = letter.body.text ?? (fetched?.revision === revision ? fetched.body : null);
  return { base: revision, by: letter.revisions[0]?.by ?? "?", message_type: letter.message_type, message_id: letter.message_id, body };
}
