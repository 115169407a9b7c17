// Jobs that replay: how far each is, how fast it may be, and how it is held, resumed or stopped.
import { get, patch } from "../api.js";
import { useAction } from "../acting.js";
import { clock, duration, milliseconds, number, shortId } from "../format.js";
import { progressOf, secondsLeft } from "../letters.js";
import { useThrottled } from "../listing.js";
import { Empty, Refusal, State } from "../parts.js";
import { known, t } from "../text.js";
import { html, useEffect, useState } from "../ui.js";

const ENDED = ["stopped", "done"];
/** Jobs that have ended are shown up to this number, unless somebody wants more. */
const SHOWN = 4;

export function Jobs({ state }) {
  const { jobs, problem, again } = useJobs(state.frame);
  const [all, setAll] = useState(false);
  const shown = all ? jobs : jobs.filter((job, i) => i < SHOWN || !ENDED.includes(job.state));
  return html`<aside class="jobs" aria-labelledby="jobs-title">
    <h2 id="jobs-title">${t("jobs.title")}</h2>
    <${Refusal} problem=${problem} id="jobs-problem" />
    ${jobs.length === 0 && !problem && html`<${Empty}>${t("jobs.none")}<//>`}
    ${shown.map((job) => html`<${Job} key=${job.id} job=${job} readonly=${state.frame?.readonly} again=${again} />`)}
    ${(jobs.length > shown.length || all) && html`<button type="button" class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? t("sentence.fewer") : t("sentence.more", { n: jobs.length - shown.length })}</button>`}
  </aside>`;
}

function Job({ job, readonly, again }) {
  const { busy, problem, nameless, act } = useAction("letters-name");
  const [rate, setRate] = useState(null);
  const { done, text, counts } = progressOf(job);
  const left = secondsLeft(job);
  const kind = { running: "info", paused: "wait", halted: "error", done: "ok" }[job.state] ?? "off";
  const ended = ENDED.includes(job.state);
  const change = async (what) => {
    const answer = await act((by) => patch(`/api/console/replays/${job.id}`, { by, ...what }));
    // Also after a refusal: the job may have ended meanwhile.
    again();
    return answer !== undefined;
  };
  const pace = async (event) => {
    event.preventDefault();
    if (await change({ rate: Number(rate ?? job.rate) })) setRate(null);
  };
  const button = (name, wanted, word) => html`<button type="button" class="quiet" data-testid=${`job-${name}-${job.id}`} disabled=${busy} onClick=${() => change({ state: wanted })}>${word}<span class="unseen"> ${shortId(job.id)}</span></button>`;
  return html`<article class="panel job" data-testid=${`job-${job.id}`} data-state=${job.state}>
    <header><h3>${t("job.by", { at: clock(job.at), by: job.by })}</h3><span role="status" data-testid=${`job-state-${job.id}`}><${State} kind=${kind}>${t(`job.state.${job.state}`)}<//></span></header>
    ${job.why && html`<p class="refusal foreign">${job.why}</p>`}
    <progress max=${job.total} value=${done} aria-label=${text}></progress>
    <p data-testid=${`job-progress-${job.id}`}><b>${text}</b>${left !== null && html` <span class="muted">${t("job.left", { left: duration(Math.ceil(left)) })}</span>`}</p>
    <ul class="counts">${counts.map(({ name, text: says }) => html`<li key=${name} data-count=${name}>${says}</li>`)}</ul>
    ${!ended && !readonly && html`<div class="actions">
      <form class="pace" onSubmit=${pace}><label><span class="unseen">${t("letters.rate")}</span><span class="with-unit"><input type="number" min="1" max="10000" required data-testid=${`job-rate-${job.id}`} value=${rate ?? job.rate} onInput=${(event) => setRate(event.target.value)} /> /s</span></label>
        <button type="submit" class="quiet" data-testid=${`job-pace-${job.id}`} disabled=${busy}>${t("job.set")}</button></form>
      ${job.state === "running" ? button("pause", "paused", t("job.pause")) : button("resume", "running", t("job.resume"))}
      ${button("stop", "stopped", t("flash.stop"))}
    </div>`}
    ${nameless && html`<p class="refusal" role="alert">${t("name.missing")}</p>`}
    <${Refusal} problem=${problem} id=${`job-problem-${job.id}`} />
    <${Letters} job=${job} />
  </article>`;
}

/** The letters of a job, those first that failed again. Asked for when somebody opens them. */
function Letters({ job }) {
  const [open, setOpen] = useState(false);
  const [letters, setLetters] = useState(null);
  const [problem, setProblem] = useState(null);
  const load = () => get(`/api/console/replays/${job.id}`).then((answer) => {
    setLetters(answer.letters);
    setProblem(null);
  }, setProblem);
  useEffect(() => {
    if (open) load();
  }, [open]);
  useThrottled(open ? JSON.stringify(job) : undefined, load);
  return html`<details open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}><summary data-testid=${`job-letters-${job.id}`}>${t("job.letters")}</summary>
    <${Refusal} problem=${problem} />
    ${open && letters && html`<ul class="job-letters">${letters.map((one) => html`<li key=${one.letter}>
      <a href=${`#/letters/${one.letter}`}><code>${shortId(one.letter)}</code></a> ${one.duplicate ? t("job.one.recognised") : known(`job.one.${one.state}`, one.state)}${one.by_instance && html` <span class="muted">${one.by_instance}${one.duration_ms !== null && html`, ${milliseconds(one.duration_ms)}`}</span>`}
      ${one.error && html`<span class="muted foreign clamp">${one.error}</span>`}</li>`)}</ul>
      ${job.total > letters.length && html`<p class="muted">${t("job.letters-shown", { n: number(letters.length), total: number(job.total) })}</p>`}`}
  </details>`;
}

/** The newest jobs. What the frame says of those that have not ended is newer than any answer. */
function useJobs(frame) {
  const [asked, setAsked] = useState({ jobs: [], problem: null });
  const active = frame?.letters?.jobs ?? [];
  const load = () => get("/api/console/replays").then(({ jobs }) => setAsked({ jobs, problem: null }), (problem) => setAsked((before) => ({ ...before, problem })));
  useEffect(() => void load(), []);
  useThrottled(frame && `${frame.changes?.letters} ${active.map((job) => job.id)}`, load);
  const now = new Map(active.map((job) => [job.id, job]));
  const listed = new Set(asked.jobs.map((job) => job.id));
  return {
    jobs: [...active.filter((job) => !listed.has(job.id)), ...asked.jobs.map((job) => now.get(job.id) ?? job)],
    problem: asked.problem,
    again: load,
  };
}
