// How far the console is behind with what happens to orders, by Kafka's offsets.
import { group } from "./flow/model.js";

/** An event that has waited for fewer seconds is about to be read, or was read since Kafka was asked. */
const LATE = 10;

/** How many events are unread and how old the first of them is; null while that is not worth a word, or unknown. */
export function behind(frame) {
  if (!frame) return null;
  const groups = ["order-events", "stock-events"].map((topic) => group(frame, topic, "console")).filter((of) => of?.lag > 0);
  const age_s = Math.max(0, ...groups.map((of) => of.age_s ?? 0));
  return age_s < LATE ? null : { lag: groups.reduce((sum, of) => sum + of.lag, 0), age_s };
}
