// The scaling curve of `./dev bench scaling` as numbers for a picture.

/** Width and height of the picture, and the room around its axes. */
export const SIZE = { width: 640, height: 360, left: 48, right: 64, top: 24, bottom: 40 };

const BROKERS = { rabbitmq: "RabbitMQ", kafka: "Kafka" };

/** The brokers of a file that were measured, each with its steps in order. A step that cannot be compared with one consumer is left out. */
export function curves(file) {
  const known = (step) => step?.consumers > 0 && Number.isFinite(step.times) && Number.isFinite(step.per_s);
  return Object.entries(BROKERS)
    .map(([key, broker]) => ({ broker, steps: (Array.isArray(file?.[key]) ? file[key] : []).filter(known).sort((a, b) => a.consumers - b.consumers) }))
    .filter(({ steps }) => steps.length > 0);
}

/** Where everything is. Both axes begin at 0, and what is better than ideal has its place too. */
export function picture(measured) {
  const steps = measured.flatMap((curve) => curve.steps);
  const end = Math.max(1, ...steps.map((step) => step.consumers));
  const top = Math.ceil(Math.max(end, ...steps.map((step) => step.times)));
  const { width, height, left, right, top: above, bottom } = SIZE;
  const x = (consumers) => left + (consumers / end) * (width - left - right);
  const y = (times) => height - bottom - (times / top) * (height - above - bottom);
  const ticks = [...new Set([0, ...steps.map((step) => step.consumers)])].sort((a, b) => a - b);
  return {
    ticks: ticks.map((tick) => ({ tick, x: x(tick), y: y(tick) })),
    ideal: [x(0), y(0), x(end), y(end)],
    lines: measured.map(({ broker, steps: own }) => ({ broker, points: own.map((step) => ({ ...step, x: x(step.consumers), y: y(step.times) })) })),
  };
}
