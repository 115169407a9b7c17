// The orders that this page has placed itself. The console hears of them a moment later, from Kafka.

export const placed = new Set();
