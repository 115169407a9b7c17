// What the picture asks of a frame.

export function queue(frame, name) {
  return (frame.queues ?? []).find((q) => q.name === name);
}

/** The queues in which messages of a queue, or of all queues with that beginning, wait for a time. */
export function delaysOf(frame, name) {
  return (frame.queues ?? []).filter((q) => q.kind === "delay" && q.name.startsWith(name));
}

/** One queue that stands for several: their sum, and the oldest of their ages. */
export function together(queues) {
  if (queues.length === 0) return null;
  const ages = queues.map((q) => q.age_s).filter((age) => age !== null && age !== undefined);
  return {
    depth: sum(queues.map((q) => q.depth)),
    age_s: ages.length > 0 ? Math.max(...ages) : null,
    age_at_least: queues.some((q) => q.age_at_least),
    at: queues[0].at,
  };
}

export function topic(frame, name) {
  return (frame.topics ?? []).find((t) => t.name === name);
}

export function group(frame, topicName, service) {
  return topic(frame, topicName)?.groups?.find((g) => g.service === service);
}

export function service(frame, name) {
  return (frame.services ?? []).find((s) => s.name === name);
}

/** The sum of what is known; null when nothing is. */
export function sum(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}

/** The worst sentence about a queue, a topic or a service, or undefined. They come worst first. */
export function said(frame, name) {
  return (frame.sentences ?? []).find((s) => s.subject === name || s.subject?.startsWith(`${name}/`));
}

export function control(frame, serviceName) {
  return (frame.controls ?? []).find((c) => c.service === serviceName);
}

/** How full a queue is drawn, 0 to 1: by its magnitude, so that 1 message and 10,000 are both seen. */
export function fill(depth) {
  if (!depth || depth < 0) return 0;
  return Math.min(1, Math.max(0.08, Math.log10(1 + depth) / 4));
}
