// When the queue will be empty, in words.
import { clock, duration, rate, secondsUntil } from "./format.js";
import { t } from "./text.js";

/** `now` is the server's time in milliseconds. */
export function forecast(f, now) {
  switch (f?.kind) {
    case "empty":
      return t("forecast.empty");
    case "drains":
      if (!f.empty_at) return t("forecast.drains-unknown", { rate: rate(f.per_s === null ? null : Math.abs(f.per_s)) });
      return t("forecast.drains", {
        rate: rate(f.per_s === null ? null : Math.abs(f.per_s)),
        at: clock(f.empty_at),
        left: duration(Math.round(secondsUntil(f.empty_at, now))),
      });
    case "grows":
      return t("forecast.grows", { rate: rate(f.per_s === null ? null : Math.abs(f.per_s)) });
    case "steady":
      return t("forecast.steady");
    default:
      return t("forecast.unknown");
  }
}
