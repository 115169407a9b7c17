// The best mean over some seconds, for each number of instances.

/** A rate counts once it has been kept up for this long, in seconds, by the same number of instances. */
const SPAN = 10;

export function best() {
  let samples = [];
  let instances = null;
  const rates = new Map();
  return {
    rates,
    /** `at` in seconds. An unknown number begins anew: nobody knows what the mean would be of. */
    add(at, now, rate) {
      if (now === null || rate === null || now !== instances || at - (samples.at(-1)?.at ?? at) > SPAN / 2) samples = [];
      instances = now;
      if (now === null || rate === null) return;
      samples.push({ at, rate });
      while (at - samples[0].at > SPAN) samples.shift();
      if (at - samples[0].at < SPAN - 1.5) return;
      const mean = samples.reduce((sum, sample) => sum + sample.rate, 0) / samples.length;
      rates.set(now, Math.max(mean, rates.get(now) ?? 0));
    },
  };
}
