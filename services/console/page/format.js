// Numbers, times and amounts as text. Each has its unit; what is not known is `?` and never 0.
import { language, setting } from "./settings.js";
import { t } from "./text.js";

export const UNKNOWN = "?";

/** The server counts exactly up to this; one more means "at least". */
const COUNTED = 10_000;

const missing = (value) => value === null || value === undefined || Number.isNaN(value);

export function number(value, digits = 0) {
  if (missing(value)) return UNKNOWN;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A count that the server stopped at 10,001. */
export function bounded(value) {
  if (missing(value)) return UNKNOWN;
  return value > COUNTED ? `${number(COUNTED)}+` : number(value);
}

/** Events in a second: a decimal only where it says something. */
export function rate(perSecond) {
  if (missing(perSecond)) return `${UNKNOWN}/s`;
  return `${number(perSecond, perSecond > 0 && perSecond < 10 ? 1 : 0)}/s`;
}

/** Like `rate`, with what is counted, for a place that does not say it. */
export function rateOf(perSecond, unitKey) {
  if (missing(perSecond)) return UNKNOWN;
  return `${number(perSecond, perSecond > 0 && perSecond < 10 ? 1 : 0)} ${t(unitKey)}`;
}

/** A length of time in the two units that matter. Below 10 s it has tenths, unless the caller gives whole seconds. */
export function duration(seconds) {
  if (missing(seconds)) return UNKNOWN;
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${number(s, Number.isInteger(s) ? 0 : 1)} ${t("unit.s")}`;
  if (s < 59.5) return `${Math.round(s)} ${t("unit.s")}`;
  const whole = Math.round(s);
  if (whole < 3600) return pair(Math.floor(whole / 60), "unit.min", whole % 60, "unit.s");
  if (whole < 86_400) return pair(Math.floor(whole / 3600), "unit.h", Math.floor((whole % 3600) / 60), "unit.min");
  return pair(Math.floor(whole / 86_400), "unit.d", Math.floor((whole % 86_400) / 3600), "unit.h");
}

/** An age that may be a lower bound, because the server has not watched for long enough. */
export function age(seconds, atLeast = false) {
  return atLeast && !missing(seconds) ? t("age.at-least", { age: duration(seconds) }) : duration(seconds);
}

export function milliseconds(ms) {
  if (missing(ms)) return UNKNOWN;
  if (ms < 10) return `${number(ms, Number.isInteger(ms) ? 0 : 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return duration(ms / 1000);
}

export function money(cents, currency) {
  if (missing(cents)) return UNKNOWN;
  const value = number(cents / 100, 2);
  return currency ? `${value} ${currency}` : value;
}

/** The time of day, to the second. */
export function clock(time) {
  return formatted(time, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** The time of day, to the millisecond. */
export function preciseClock(time) {
  return formatted(time, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
}

/** The date and the time of day, with the zone. */
export function dateTime(time) {
  const date = toDate(time);
  if (!date) return UNKNOWN;
  const day = formatted(date, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
  return `${day} ${clock(date)}${setting("clock") === "utc" ? " UTC" : ""}`;
}

/** How long ago, seen from `now` in milliseconds: the server's clock, because the browser's may be wrong. */
export function ago(time, now) {
  const date = toDate(time);
  if (!date) return UNKNOWN;
  const seconds = (now - date.getTime()) / 1000;
  if (seconds < 0.95 && seconds > -0.95) return t("ago.now");
  return seconds > 0 ? t("ago.past", { t: coarse(seconds) }) : t("ago.future", { t: coarse(-seconds) });
}

/** Seconds from `now` in milliseconds until a time, not below 0; null when the time is unknown. */
export function secondsUntil(time, now) {
  const date = toDate(time);
  return date ? Math.max(0, (date.getTime() - now) / 1000) : null;
}

/** A UUID short enough for a column, from its random end: orders of one moment begin alike. */
export function shortId(id) {
  return id && id.length > 12 ? `…${id.slice(-8)}` : (id ?? UNKNOWN);
}

/** Without tenths, and with the larger unit only once it is large: "12 s", "3 min", "2 h". */
function coarse(seconds) {
  if (seconds < 59.5) return `${Math.round(seconds)} ${t("unit.s")}`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} ${t("unit.min")}`;
  if (seconds < 84_600) return `${Math.round(seconds / 3600)} ${t("unit.h")}`;
  return `${Math.round(seconds / 86_400)} ${t("unit.d")}`;
}

function pair(large, largeUnit, small, smallUnit) {
  const head = `${large} ${t(largeUnit)}`;
  return small === 0 ? head : `${head} ${small} ${t(smallUnit)}`;
}

function formatted(time, options, locale = language() === "zh" ? "zh-CN" : "en-GB") {
  const date = toDate(time);
  if (!date) return UNKNOWN;
  const timeZone = setting("clock") === "utc" ? "UTC" : undefined;
  return new Intl.DateTimeFormat(locale, { ...options, hourCycle: "h23", timeZone }).format(date);
}

function toDate(time) {
  if (missing(time)) return null;
  const date = time instanceof Date ? time : new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
}
