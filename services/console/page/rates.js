// The best rate that was seen with each number of instances, while the page was open.
import { live } from "./frames.js";
import { group, queue, service } from "./flow/model.js";
import { best } from "./best.js";

/** What each service does, and which number of a frame says how fast. */
export const MEASURED = {
  order: (frame) => frame.orders?.decided_per_s,
  inventory: (frame) => queue(frame, "inventory.stock-commands")?.out_per_s,
  notification: (frame) => group(frame, "order-events", "notification")?.out_per_s,
};

/** `{order: Map(instances -> rate per second)}`. It begins when the page is opened, in whatever view. */
export const measured = Object.fromEntries(Object.keys(MEASURED).map((name) => [name, best()]));

let last = 0;

live.watch(({ frame }) => {
  if (!frame) return;
  const at = Date.parse(frame.at);
  // Once a second is enough, and frames are drawn again between seconds.
  if (at - last < 1000) return;
  last = at;
  for (const [name, rate] of Object.entries(MEASURED)) {
    measured[name].add(at / 1000, service(frame, name)?.instances?.length ?? null, rate(frame) ?? null);
  }
});
