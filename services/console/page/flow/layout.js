// Where everything stands in the picture: RabbitMQ's part above the services, Kafka's part below them.
import { delaysOf, group, queue, sum, topic } from "./model.js";

export const WIDTH = 1232;
export const HEIGHT = 600;

export const SERVICE = { top: 266, height: 86, width: 156 };
export const QUEUE = { top: 88, height: 92, width: 72 };
export const LOG = { left: 120, right: 1212, height: 26 };
export const RABBITMQ = { top: 8, bottom: 244 };
export const KAFKA = { top: 380, bottom: 592 };
export const CUSTOMERS = { x: 40, y: 309 };

/** In the order in which an order passes. */
export const SERVICES = [
  { name: "order", x: 218 },
  { name: "inventory", x: 520 },
  { name: "notification", x: 852 },
  { name: "console", x: 1130 },
];

export const EXCHANGES = [
  { name: "commands", x: 372, y: 134 },
  { name: "notifications", x: 706, y: 134 },
];

/** `delays`: the sum of the queues in which messages of that queue wait for a time. */
export const QUEUES = [
  { name: "order.payment-deadlines", delays: true, x: 104, lines: ["flow.deadline-1", "flow.deadline-2"] },
  { name: "order.payment-deadlines", x: 232 },
  { name: "inventory.stock-commands", x: 520 },
  { name: "inventory.stock-commands", delays: true, x: 616, lines: ["flow.retries-1", "flow.retries-2"] },
  { name: "notification.email", x: 794 },
  { name: "notification.sms", x: 874 },
  { name: "notification.push", x: 954 },
  { name: "notification.", delays: true, x: 1034, lines: ["flow.retries-1", "flow.retries-2"] },
  { name: "dead-letters", x: 1146 },
];

/** `writer` and `readers`: the service, and the x at which its line meets the log. */
export const LOGS = [
  { name: "order-events", y: 418, writer: ["order", 162], readers: [["notification", 852], ["console", 1082]] },
  { name: "stock-events", y: 462, writer: ["inventory", 468], readers: [["order", 206], ["console", 1114]] },
  { name: "products", y: 506, writer: ["inventory", 520], readers: [["order", 250], ["console", 1146]] },
  { name: "stock-levels", y: 550, writer: ["inventory", 572], readers: [["console", 1178]] },
];

const BOTTOM = SERVICE.top + SERVICE.height;
const UNDER = QUEUE.top + QUEUE.height;

/** Every line on which something moves: its path, what its rate is, and where that rate is written. */
export const EDGES = [
  { id: "placed", d: `M 72 309 H 138`, rate: (frame) => frame.orders?.placed_per_s, label: [104, 299] },
  { id: "order-commands", d: `M 276 266 C 300 200 316 134 352 134`, rate: inOf("inventory.stock-commands"), label: [302, 176, "end"] },
  { id: "commands-stock", d: `M 392 134 H 482`, rate: inOf("inventory.stock-commands"), label: [438, 126] },
  { id: "stock-inventory", d: `M 520 ${UNDER + 2} V 264`, rate: outOf("inventory.stock-commands"), label: [528, 218, "start"] },
  { id: "inventory-retries", d: `M 580 266 C 596 240 616 220 616 ${UNDER + 2}`, rate: delayed("inventory.stock-commands", "in_per_s"), quiet: true },
  { id: "retries-stock", d: `M 580 150 H 558`, rate: delayed("inventory.stock-commands", "out_per_s"), quiet: true },
  { id: "order-deadlines", d: `M 160 266 C 140 236 104 226 104 ${UNDER + 2}`, rate: delayed("order.payment-deadlines", "in_per_s") },
  { id: "deadlines-due", d: `M 140 134 H 194`, rate: delayed("order.payment-deadlines", "out_per_s"), label: [168, 126] },
  { id: "due-order", d: `M 232 ${UNDER + 2} V 264`, rate: outOf("order.payment-deadlines"), label: [240, 218, "start"] },
  { id: "notification-tasks", d: `M 786 266 C 760 246 706 230 706 156`, rate: (frame) => sum(TASKS.map((name) => queue(frame, name)?.in_per_s)), label: [716, 224, "end"] },
  // One line to all three queues: it passes behind the first two.
  { id: "tasks-queues", d: `M 726 134 H 917`, rate: (frame) => sum(TASKS.map((name) => queue(frame, name)?.in_per_s)) },
  ...["email", "sms", "push"].map((name, i) => ({
    id: `${name}-notification`,
    d: `M ${794 + 80 * i} ${UNDER + 2} C ${794 + 80 * i} 230 ${826 + 26 * i} 230 ${826 + 26 * i} 264`,
    rate: outOf(`notification.${name}`),
    label: [[786, 204, "end"], [880, 204, "start"], [960, 204, "start"]][i],
  })),
  { id: "notification-retries", d: `M 922 266 C 960 244 1034 232 1034 ${UNDER + 2}`, rate: delayed("notification.", "in_per_s"), quiet: true },
  { id: "failed", d: `M 556 40 H 1146 V 66`, rate: inOf("dead-letters"), quiet: true },
  ...LOGS.flatMap((log) => [
    { id: `${log.writer[0]}-${log.name}`, d: `M ${log.writer[1]} ${BOTTOM} V ${log.y - 15}`, rate: (frame) => topic(frame, log.name)?.in_per_s, log: true },
    ...log.readers.map(([service, x]) => ({
      id: `${log.name}-${service}`,
      d: `M ${x} ${log.y - 13} V ${BOTTOM + 2}`,
      rate: (frame) => group(frame, log.name, service)?.out_per_s,
      log: true,
    })),
  ]),
];

const TASKS = ["notification.email", "notification.sms", "notification.push"];

function inOf(name) {
  return (frame) => queue(frame, name)?.in_per_s;
}

function outOf(name) {
  return (frame) => queue(frame, name)?.out_per_s;
}

function delayed(name, field) {
  return (frame) => sum(delaysOf(frame, name).map((q) => q[field]));
}
