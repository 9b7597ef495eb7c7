// Loaded into a portal's process: at each SIGUSR2 it writes how late the event loop was since the one before.
const { appendFileSync, writeFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');

const RESOLUTION_MS = 10;

const folder = process.env.EVENT_LOOP_PROBE;
// Not for the processes that the portal starts.
delete process.env.EVENT_LOOP_PROBE;
if (folder) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // What is counted is from tick to tick; late is what is above the interval.
  const late = nanoseconds => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  process.on('SIGUSR2', () => {
    const { max } = histogram;
    const record = { p99: late(histogram.percentile(99)), peak: late(max) };
    histogram.reset();
    appendFileSync(`${folder}/late.jsonl`, `${JSON.stringify(record)}\n`);
  });
  writeFileSync(`${folder}/pid`, String(process.pid));
}
