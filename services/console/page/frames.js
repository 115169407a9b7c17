// The stream of frames: one EventSource, open only while somebody can see the page, opened again by itself.
import { parse } from "./api.js";
import { store } from "./ui.js";

/** A frame older than this says nothing about the present. */
export const STALE_AFTER = 2000;
const BEAT = 250;
/** A connection that says nothing for so long is replaced; the browser may not notice that it is dead. */
const SILENT = 5000;
const REOPEN = 1000;

/** `frame`: the newest one or null. `received`: when it came, on the browser's clock. `stale`: whether it is too old. */
export const live = store({ frame: null, received: 0, stale: false, lost: false });

let source = null;
let opened = 0;
let timer = null;

export function start() {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  if (!document.hidden) open();
  setInterval(beat, BEAT);
}

/** Milliseconds since the frame was made, as far as it may be counted on: not past its staleness. */
export function elapsed(state = live.get()) {
  return state.frame ? Math.min(Date.now() - state.received, STALE_AFTER) : 0;
}

/** The server's time now, in milliseconds. The browser's own clock may be wrong by hours. */
export function serverNow(state = live.get()) {
  return state.frame ? Date.parse(state.frame.at) + elapsed(state) : Date.now();
}

/** An age of a frame, which goes on growing until the next frame corrects it. */
export function growing(seconds, state = live.get()) {
  return seconds === null || seconds === undefined ? null : seconds + elapsed(state) / 1000;
}

function open() {
  close();
  opened = Date.now();
  source = new EventSource("/api/console/stream");
  source.addEventListener("frame", (event) => {
    live.set({ frame: parse(event.data), received: Date.now(), stale: false, lost: false });
  });
  source.addEventListener("error", () => {
    live.set({ ...live.get(), lost: true });
    // The browser would open a broken connection again after three seconds, and one that was refused never.
    source?.close();
    later();
  });
}

function close() {
  clearTimeout(timer);
  timer = null;
  source?.close();
  source = null;
}

function later() {
  if (timer === null && !document.hidden) timer = setTimeout(open, REOPEN);
}

/** Between frames the ages grow, and when frames stop coming the page has to say so. */
function beat() {
  if (document.hidden) return;
  const state = live.get();
  const silence = Date.now() - Math.max(state.received, opened);
  if (silence > SILENT && timer === null) open();
  const stale = state.frame ? state.lost || Date.now() - state.received > STALE_AFTER : state.lost;
  if (stale !== state.stale || Date.now() - state.received > BEAT) live.set({ ...state, stale });
}
