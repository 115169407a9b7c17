// What the page says about dead letters, their replays and the jobs that replay them.
import { clock, milliseconds, number } from "./format.js";
import { known, t } from "./text.js";

export const STATES = ["open", "replaying", "sent", "handled", "discarded", "all"];

/** More than this are replayed or discarded only by somebody who has typed how many there are. */
export const UNASKED = 100;

/** The server takes no more ids at once. */
export const MOST = 1000;

/** The filter in the address, and nothing else that stands there. */
const NAMES = ["state", "consumer", "pattern", "type", "q", "since", "until"];

/** The filter as an object; the state is always in it. */
export function filterOf(search) {
  const filter = { state: "open" };
  for (const name of NAMES) {
    const value = search.get(name);
    if (value) filter[name] = value;
  }
  return filter;
}

/** The address of the list with that filter. */
export function addressOf(filter) {
  const present = NAMES.filter((name) => filter[name]).map((name) => [name, filter[name]]);
  return `#/letters?${new URLSearchParams(present)}`;
}

/** Where it failed, as pairs of a text's key and a value. */
export function whereabouts({ source = {} }) {
  const pairs = [
    ["span.queue", source.queue],
    ["span.exchange", source.exchange === "" ? t("letter.default-exchange") : source.exchange],
    ["span.key", source.routing_key],
    ["span.topic", source.topic],
    ["span.partition", source.partition],
    ["span.offset", source.offset],
    ["letter.group", source.group],
    ["letter.record-key", source.key],
    ["letter.broker-reason", source.reason],
  ];
  return pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
}

/** The state of a letter: a shape and a word. */
export function stateOf(letter) {
  const kind = { open: "wait", replaying: "info", sent: "info", handled: "ok", discarded: "off" }[letter.state] ?? "off";
  return { kind, word: known(`letter.state.${letter.state}`, letter.state) };
}

/** What became of the last replay, or null when there was none. */
export function outcomeOf(replay) {
  if (!replay) return null;
  const values = {
    by: replay.by_instance ?? t("letter.somebody"),
    took: milliseconds(replay.duration_ms),
    at: clock(replay.sent_at),
    error: replay.error ?? "?",
  };
  const kind = { waiting: "wait", sent: "info", handled: "ok", failed: "error", silent: "wait", stopped: "off" }[replay.state] ?? "off";
  const key = replay.duplicate ? "outcome.recognised" : `outcome.${replay.state}`;
  return { kind, text: known(key) ? t(key, values) : replay.state };
}

/** Whether something will still be heard of the replay. */
export function unsettled(letter) {
  return ["waiting", "sent"].includes(letter?.replay?.state);
}

/** How far a job is. A letter counts as done once it has left, whatever became of it. */
export function progressOf(job) {
  const done = job.total - job.waiting - job.stopped;
  const counts = ["handled", "duplicates", "failed", "sent", "silent", "waiting", "stopped"];
  const shown = counts.filter((name) => name === "handled" || job[name] > 0);
  return {
    done,
    text: t("job.done", { done: number(done), total: number(job.total) }),
    counts: shown.map((name) => ({ name, text: t(`job.count.${name}`, { n: number(job[name]) }) })),
  };
}

/** Seconds until the last letter leaves at the present rate, or null when none will. */
export function secondsLeft(job) {
  return job.state === "running" && job.waiting > 0 && job.rate > 0 ? job.waiting / job.rate : null;
}

/** Which of the chosen letters a replay takes: what newer facts have overtaken only when somebody wants it. */
export function taken(chosen, overtaken) {
  return [...chosen].filter(([, letter]) => overtaken || !letter.overtaken).map(([id]) => id);
}

/** Whether an error is about the field, or about a place in it: `body/lines/0/sku`. */
export function isAbout(error, field) {
  return error.field === field || error.field.startsWith(`${field}/`);
}

/** What is wrong with the field: each entry has its JSON pointer, empty for all of it, and what it says. */
export function wrongs(problem, field) {
  const errors = problem?.errors ?? [];
  return errors.filter((error) => isAbout(error, field)).map((error) => ({ pointer: error.field.slice(field.length), says: error.message }));
}

/** A value of a difference as text: what is missing is told apart from what is empty. */
export function valueText(value) {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
