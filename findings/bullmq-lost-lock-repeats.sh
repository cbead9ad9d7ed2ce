#!/usr/bin/env bash
# BullMQ 6.7.0 with Redis 7.0.15 (Debian 12): a worker that runs a job again loses the lock once more when its first run ends.
#
# A worker with a concurrency of 2 gets one job of 10 s. Its first run blocks the event loop for 4 s, longer than its lock of 2 s
# (lockDuration; 30 s by default). So the job counts as stalled, and the other place of the same worker starts it again. From then
# on the worker is healthy: nothing blocks, the lock of the second run is renewed each half second, each run returns.
#
# Good sense says: one lost lock means one run too many. The end of the first run is refused, the second run completes the job.
# Guess of its author, who knew the claim, noted before the first run as what an engineer expects: the same.
#
# Seen: at the end of the first run the renewals for the second one stop. Its lock is over 2 s later, and the job stalls again.
#
#   one worker, concurrency 2                        failed: job stalled more than allowable limit (two runs, both returned)
#   one worker, concurrency 2, maxStalledCount 100   run after run of 10 s, two at a time; after 45 s the eighth, and no end seen
#   two workers, concurrency 1                       completed by the second run
#
# For a client: a failed job may have been done twice, each time to its end. A high maxStalledCount makes it run again and again if
# it takes longer than its lock. So a run whose work is done notes that elsewhere, and each run looks there first. Or give each
# place a Worker of its own, with a concurrency of 1.
#
# Source: LockManager keeps the locks of a worker in a map by the id of the job. untrackJob deletes the entry without a look at the
# token of the run.
set -euo pipefail
dpkg-query -W redis-server > /dev/null 2>&1 || apt-get install -y --no-install-recommends redis-server
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund bullmq@6.7.0 ioredis@6.0.0 >> log 2>&1 || { cat log; exit 1; }
cat > main.mjs <<'JS'
import {setTimeout as sleep} from 'node:timers/promises'

import {Queue, Worker} from 'bullmq'

const [name, workers, concurrency, maxStalledCount, seconds, expected] = process.argv.slice(2)
const connection = {path: `${process.cwd()}/redis`}
const queue = new Queue(name, {connection})
let started = 0
let returned = 0
async function run() {
  started += 1
  const block = started === 1 ? 4000 : 0
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block)
  await sleep(10_000 - block)
  returned += 1
}
const all = Array.from({length: Number(workers)}, () => {
  const times = {lockDuration: 2000, stalledInterval: 1000, maxStalledCount: Number(maxStalledCount)}
  const worker = new Worker(name, run, {connection, concurrency: Number(concurrency), ...times})
  worker.on('error', () => {})
  return worker
})
await Promise.all(all.map((worker) => worker.waitUntilReady()))
const {id} = await queue.add('job', {})
await sleep(Number(seconds) * 1000)
const {failedReason = ''} = await queue.getJob(id)
const seen = `${await queue.getJobState(id)} ${failedReason}; ${started} runs started, ${returned} returned`
console.log(`  ${workers} x ${concurrency}, maxStalledCount ${maxStalledCount}, after ${seconds} s: ${seen}`)
await Promise.all(all.map((worker) => worker.close(true)))
await queue.close()
if (!new RegExp(expected).test(seen)) console.log(`CHANGED, expected: ${expected}`)
process.exit(new RegExp(expected).test(seen) ? 0 : 1)
JS
redis-server --port 0 --unixsocket redis --save '' --maxmemory-policy noeviction > redis.log &
for _ in $(seq 100); do redis-cli -s redis ping > /dev/null 2>&1 && break; sleep 0.1; done

echo "bullmq $(node -p "require('bullmq/package.json').version"), $(redis-server --version | cut -d ' ' -f 3)"
scenes=()
node main.mjs a 1 2 1 30 '^failed job stalled more than allowable limit; 2 runs started, 2 returned$' & scenes+=($!)
node main.mjs b 1 2 100 45 '^(active|waiting) ; ([6-9]|10) runs started, ([4-9]) returned$' & scenes+=($!)
node main.mjs c 2 1 1 30 '^completed ; 2 runs started, 2 returned$' & scenes+=($!)
for scene in "${scenes[@]}"; do wait "$scene" || failed=1; done
exit "${failed:-0}"
