// The editor of a letter: the raw text of its body, its type, and its id where it came without one.
import { intention, post, put } from "../api.js";
import { useAction } from "../acting.js";
import { mixesLineEnds, withItsLineEnds } from "../bytes.js";
import { clock } from "../format.js";
import { wrongs } from "../letters.js";
import { Refusal, State } from "../parts.js";
import { setting } from "../settings.js";
import { t } from "../text.js";
import { html, useEffect, useRef, useState } from "../ui.js";

const PAUSE = 500;
const OTHER = " ";

/** `start`: the text of the body or null when it is none, the draft to go on with or null, and the letter as it was. */
export function Editor({ start, letter, done }) {
  const original = { base: start.letter.revision, message_type: start.letter.message_type ?? "", message_id: start.letter.message_id, body: start.text ?? "" };
  const [edit, setEdit] = useState(start.draft ? only(start.draft) : original);
  const [theirs, setTheirs] = useState(null);
  const { busy, problem, nameless, act } = useAction("letter-name");
  const raw = useRef(edit.body);
  const path = `/api/console/letters/${encodeURIComponent(letter.id)}`;
  const change = (changed) => setEdit((before) => ({ ...before, ...changed }));
  const draft = useDraft(`${path}/draft`, edit, start.draft, setTheirs);
  const there = theirs ?? savedMeanwhile(letter, edit.base);

  const save = async (event) => {
    event.preventDefault();
    const answer = await act(async (by) => {
      await draft.stop();
      try {
        return await post(`${path}/revisions`, sent(by, edit));
      } catch (refused) {
        if (refused.status === 409 && refused.whole.current) setTheirs({ kind: "saved", ...refused.whole.current });
        draft.go();
        throw refused;
      }
    });
    if (answer !== undefined) done();
  };
  const take = (mine) => {
    const base = there.revision ?? there.base ?? edit.base;
    if (mine) change({ base });
    else {
      raw.current = there.body ?? "";
      setEdit(only({ ...there, base }));
    }
    setTheirs(null);
  };
  const wrong = (field) => wrongs(problem, field);
  const elsewhere = problem && { ...problem, status: problem.status, title: problem.title, message: problem.message, errors: problem.errors.filter((e) => !["body", "message_type", "message_id"].includes(e.field)) };
  return html`<form class="editor" onSubmit=${save}>
    <${Draft} draft=${draft} />
    <div class="editor-fields">
      <${Type} value=${edit.message_type} types=${letter.types ?? []} wrong=${wrong("message_type")} onChange=${(message_type) => change({ message_type })} />
      <${Identity} value=${edit.message_id} fixed=${(letter.original ?? letter).message_id !== null} wrong=${wrong("message_id")} onChange=${(message_id) => change({ message_id })} />
    </div>
    ${start.text === null && html`<p class="reason">${t("editor.no-text")}</p>`}
    ${mixesLineEnds(raw.current) && html`<p class="reason">${t("editor.line-ends")}</p>`}
    <div class=${there ? "texts two" : "texts"}>
      <label class="field" for="letter-text"><span>${t(there ? "editor.mine" : "letter.body")}</span>
        <textarea id="letter-text" data-testid="letter-text" class="foreign" rows="16" spellcheck="false" autocomplete="off" autocapitalize="off" aria-invalid=${wrong("body").length > 0 ? "true" : undefined} aria-describedby="letter-body-wrong"
          value=${edit.body.replace(/\r\n?/g, "\n")} onInput=${(event) => change({ body: withItsLineEnds(event.target.value, raw.current) })}></textarea></label>
      ${there && html`<section class="field"><span>${t(`editor.theirs.${there.kind}`, { by: there.by ?? "?", n: there.revision ?? "" })}</span>
        <pre class="foreign block body" data-testid="letter-theirs" tabindex="0">${there.body}</pre></section>`}
    </div>
    <${Wrongs} id="letter-body-wrong" list=${wrong("body")} />
    ${there && html`<div class="conflict" role="alert" data-testid="letter-conflict"><p><${State} kind="wait">${t(`editor.conflict.${there.kind}`)}<//></p>
      <div class="actions"><button type="button" data-testid="letter-take-theirs" onClick=${() => take(false)}>${t("editor.take-theirs")}</button><button type="button" data-testid="letter-keep-mine" onClick=${() => take(true)}>${t("editor.keep-mine")}</button></div></div>`}
    <${Refusal} problem=${elsewhere} id="letter-save-problem" />
    ${nameless && html`<p class="refusal" role="alert">${t("name.missing")}</p>`}
    <div class="actions"><button type="submit" class="primary" data-testid="letter-save" disabled=${busy}>${t("editor.save")}</button>
      <button type="button" data-testid="letter-reset" onClick=${() => { raw.current = original.body; setEdit(original); }}>${t("editor.reset")}</button>
      <button type="button" data-testid="letter-close" onClick=${done}>${t("close")}</button><span class="muted">${t("editor.after")}</span></div>
  </form>`;
}

function Type({ value, types, wrong, onChange }) {
  const [other, setOther] = useState(!types.includes(value) && value !== "");
  const options = [...(value === "" ? [""] : []), ...types];
  return html`<div class="field"><label for="letter-type">${t("letter.type")}</label>
    <select id="letter-type" data-testid="letter-type" onChange=${({ target }) => { setOther(target.value === OTHER); if (target.value !== OTHER) onChange(target.value); }}>
      ${options.map((type) => html`<option key=${type} value=${type} selected=${!other && type === value}>${type || t("editor.no-type")}</option>`)}<option value=${OTHER} selected=${other}>${t("editor.other-type")}</option></select>
    ${other && html`<input data-testid="letter-type-other" aria-label=${t("editor.other-type")} class="foreign" value=${value} maxlength="255" spellcheck="false" autocomplete="off" onInput=${(event) => onChange(event.target.value)} />`}
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
  return html`<div role="alert" id=${id}>${list.length > 0 && html`<ul class="wrongs">${list.map(({ pointer, says }, i) => html`<li key=${i} class="wrong" data-testid="letter-wrong"><span aria-hidden="true">✕ </span>${pointer !== null && html`<code class="foreign">${pointer || "/"}</code> `}<bdi>${says}</bdi></li>`)}</ul>`}</div>`;
}

function Draft({ draft }) {
  const kind = { saved: "ok", off: "off", refused: "error" }[draft.state] ?? "wait";
  return html`<p class="draft" role="status" data-testid="letter-draft"><${State} kind=${kind}>${t(`draft.${draft.state}`, { at: draft.at ? clock(draft.at) : "", by: draft.by })}<//>${draft.problem && html` <span class="muted">${draft.problem.message}</span>`}</p>`;
}

/** Keeps what is typed on the server, half a second after the last key. */
function useDraft(path, edit, restored, onTheirs) {
  const by = setting("name").trim();
  const [shown, setShown] = useState(restored ? { state: "restored", at: restored.at, by: restored.by } : { state: "none", at: null, by });
  const kept = useRef(edit);
  const newest = useRef({ edit, by });
  const work = useRef({ timer: null, request: Promise.resolve(), off: false });
  newest.current = { edit, by };
  const send = () => {
    clearTimeout(work.current.timer);
    work.current.timer = null;
    const { edit: edited, by: who } = newest.current;
    if (work.current.off || edited === kept.current || who === "") return work.current.request;
    kept.current = edited;
    work.current.request = put(path, sent(who, edited)).then(({ at }) => setShown({ state: "saved", at, by: who }), (problem) => {
      if (problem.status !== 409 || !problem.whole.draft) return setShown({ state: "refused", at: null, by: who, problem });
      // Two drafts would overwrite each other with every key: from here on only saving counts.
      work.current.off = true;
      onTheirs({ kind: "draft", ...problem.whole.draft });
      return setShown({ state: "off", at: null, by: who });
    });
    return work.current.request;
  };
  useEffect(() => {
    if (edit === kept.current || work.current.off) return;
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

function sent(by, { base, message_type, message_id, body }) {
  return { by, base, message_type: message_type.trim() || null, message_id: message_id?.trim() || null, body };
}

/** The newest revision, when the edit began with an older one. */
function savedMeanwhile(letter, base) {
  if (letter.revision <= base) return null;
  const { message_type, message_id, revision } = letter;
  return { kind: "saved", revision, by: letter.revisions?.at(-1)?.by, message_type, message_id, body: letter.body.text };
}
