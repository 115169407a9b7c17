// What is stuck, since when and why, in words: one function for each reason that the server tells apart.
import { age, bounded, clock, duration, rate, secondsUntil, UNKNOWN } from "./format.js";
import { t } from "./text.js";

const REASONS = {
  "nobody-consumes": nobodyConsumes,
  held,
  retry,
  paused,
  slowed,
  failing,
  "arrival-faster": arrivalFaster,
  "broker-away": brokerAway,
  unknown,
};

/**
 * The sentence as a text.
 * `now` is the server's time in milliseconds, `grown` the seconds by which ages have grown since the frame was made.
 */
export function sentence(s, now, grown = 0) {
  const say = REASONS[s.reason] ?? unknown;
  return say(s, now, grown);
}

function nobodyConsumes(s, _now, grown) {
  return clauses(t("sentence.nobody-consumes", { subject: s.subject }), [...waiting(s, grown), since(s)]);
}

function held(s, _now, grown) {
  return clauses(t("sentence.held", { subject: s.subject }), [...waiting(s, grown), place(s), since(s), s.error]);
}

function retry(s, now, grown) {
  const until = s.until
    ? t("sentence.retry-until", { subject: s.subject, until: clock(s.until), left: left(s, now) })
    : t("sentence.retry", { subject: s.subject });
  return clauses(until, [...waiting(s, grown), place(s), attempt(s), s.error]);
}

function paused(s, now, grown) {
  return controlled("sentence.paused", s, now, waiting(s, grown));
}

function slowed(s, now, grown) {
  return controlled("sentence.slowed", s, now, waiting(s, grown));
}

function failing(s, now, grown) {
  return controlled("sentence.failing", s, now, waiting(s, grown));
}

function arrivalFaster(s, _now, grown) {
  const rates = { subject: s.subject, in: rate(s.in_per_s), out: rate(s.out_per_s) };
  return clauses(t("sentence.arrival-faster", rates), [...waiting(s, grown), since(s)]);
}

function brokerAway(s) {
  const head = s.since
    ? t("sentence.broker-away-since", { subject: s.subject, since: clock(s.since) })
    : t("sentence.broker-away", { subject: s.subject });
  return clauses(head, [t("sentence.outbox"), s.error]);
}

function unknown(s) {
  return clauses(t("sentence.unknown", { subject: s.subject }), [since(s), s.error]);
}

function controlled(key, s, now, more) {
  const head = t(key, { subject: s.subject, by: s.by ?? UNKNOWN });
  const until = s.until ? t("sentence.until", { until: clock(s.until), left: left(s, now) }) : null;
  return clauses(head, [until, ...more]);
}

/** Depth and age, where the server sent either: a paused service may have nothing that waits. */
function waiting(s, grown) {
  if (missing(s.depth) && missing(s.age_s)) return s.reason === "nobody-consumes" ? [t("sentence.waiting", { depth: UNKNOWN })] : [];
  const oldest = missing(s.age_s) ? null : age(s.age_s + grown, s.age_at_least);
  if (missing(s.depth)) return [t("sentence.oldest", { age: oldest })];
  const depth = bounded(s.depth);
  return [oldest ? t("sentence.waiting-oldest", { depth, age: oldest }) : t("sentence.waiting", { depth })];
}

function place(s) {
  const parts = [];
  if (!missing(s.partition)) parts.push(t("sentence.partition", { partition: s.partition }));
  if (!missing(s.offset)) parts.push(t("sentence.offset", { offset: s.offset }));
  if (s.order_id) parts.push(t("sentence.order", { id: s.order_id.slice(-8) }));
  return parts.join(t("sentence.comma")) || null;
}

function attempt(s) {
  if (missing(s.attempt)) return null;
  return t("sentence.attempt", { attempt: s.attempt, attempts: s.attempts ?? UNKNOWN });
}

function since(s) {
  return s.since ? t("sentence.since", { since: clock(s.since) }) : null;
}

function left(s, now) {
  return duration(Math.round(secondsUntil(s.until, now)));
}

function clauses(head, more) {
  return [head, ...more.filter(Boolean)].join(t("sentence.join"));
}

function missing(value) {
  return value === null || value === undefined;
}
