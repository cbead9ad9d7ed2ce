#!/usr/bin/env bash
# BullMQ 6.7.0 with PostgreSQL 15 (Debian 12): a lock ends by the clock of the worker that looks at it, not by the database's.
#
# A worker holds a job with a lock of 30 s and is healthy. A second one joins, whose clock is an hour ahead: a module that it loads
# first replaces its `Date.now`. Then a third one is killed in mid job (lock 2 s), and a fourth one looks for lost jobs each second.
#
# Good sense says: clocks of workers do not matter, as all share the clock of the database. The same API with Redis does so.
# Guess of its author, who knew the claim, noted before the first run as what an engineer expects: the lock is judged by now().
#
# Seen: the second worker takes the job from its holder, which cannot complete it. After that the third one's job stays lost.
#
#                                  Redis 7.0.15             PostgreSQL 15.18
#   job held, right clock joins    completed by its holder  completed by its holder
#   job held, clock ahead joins    completed by its holder  run again; for the holder "Lock mismatch for job …"
#   worker killed, before that     run again within 20 s    run again within 20 s
#   worker killed, after that      run again within 20 s    not run again within 20 s
#
# For a client: the clocks of its workers have to agree. What decides who may write belongs in a table, with the database's time.
#
# Source: postgres-queue-backend.js hands Date.now() to move_stalled_jobs_to_wait, which compares locked_until_ms with it and
# stores it as `stalled-check`. No worker looks before that time plus stalledInterval: by the source, for the whole hour.
set -euo pipefail
dpkg-query -W postgresql-15 redis-server > /dev/null 2>&1 || apt-get install -y --no-install-recommends postgresql-15 redis-server
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
cd "$work" && chmod 755 .
mkdir data
as=()
[ "$(id -u)" != 0 ] || { as=(setpriv --reuid=65534 --regid=65534 --clear-groups); chown 65534:65534 data; }
{ npm init -y && npm install --no-audit --no-fund bullmq@6.7.0 ioredis@6.0.0 pg@8.23.1; } > log 2>&1 || { cat log; exit 1; }
echo 'const {now} = Date; Date.now = () => now() + 3_600_000' > ahead.mjs
cat > main.mjs <<'JS'
import {fork} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'

import {createPostgresBackend, Queue, Worker} from 'bullmq'

const backends = {Redis: [{path: 'redis'}], PostgreSQL: [{user: 'postgres', migrate: true}, createPostgresBackend]}
async function seenWith(on) {
  const [connection, ...backend] = backends[on]
  const start = (name, lock, milliseconds, execArgv = []) => {
    const child = fork('main.mjs', [on, name, lock, milliseconds], {execArgv})
    const said = new Set()
    child.on('message', (message) => said.add(message))
    return {said, stop: () => child.kill('SIGKILL')}
  }
  const busy = async (name, lock, milliseconds) => {
    const queue = new Queue(name, {connection}, ...backend)
    await queue.add('job', {}).finally(() => queue.close())
    const worker = start(name, lock, milliseconds)
    while (worker.said.size === 0) await sleep(20)
    return worker
  }
  const held = async (name, execArgv) => {
    const workers = [await busy(name, 30_000, 12_000), start(name, 30_000, 60_000, execArgv)]
    await sleep(14_000)
    for (const worker of workers) worker.stop()
    return workers.map(({said}) => [...said].join()).join(' | ')
  }
  const lost = async (name) => {
    (await busy(name, 2000, 60_000)).stop()
    const next = start(name, 2000, 60_000)
    await sleep(20_000)
    next.stop()
    return [...next.said].join()
  }
  const seen = await Promise.all([held('right'), held('ahead', ['--import', './ahead.mjs']), lost('before')])
  return `${on}: [${[...seen, await lost('ahead')].join('] [')}]`
}
if (process.send) {
  const [on, name, lock, milliseconds] = process.argv.slice(2)
  const [connection, ...backend] = backends[on]
  const run = () => (process.send('run'), sleep(Number(milliseconds)))
  const worker = new Worker(name, run, {connection, lockDuration: Number(lock), stalledInterval: 1000}, ...backend)
  worker.on('error', ({message}) => message.startsWith('Lock mismatch') && process.send('mismatch'))
  worker.on('completed', () => process.send('completed'))
} else console.log((await Promise.all(['Redis', 'PostgreSQL'].map(seenWith))).join('\n'))
JS
redis-server --port 0 --unixsocket redis --save '' --maxmemory-policy noeviction > redis.log &
export PGHOST=$work/data PATH=/usr/lib/postgresql/15/bin:$PATH
"${as[@]}" initdb -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 > initdb.log
"${as[@]}" postgres -D data -k "$PGHOST" -c listen_addresses= -c fsync=off 2> postgres.log >&2 &
for _ in $(seq 100); do pg_isready -q && redis-cli -s redis ping > pong 2>&1 && break; sleep 0.1; done
echo "bullmq $(node -p "require('bullmq/package.json').version"), $(postgres --version | cut -c 1-27), messages of the workers:"
node main.mjs | tee seen
diff - seen <<'END' || { echo 'CHANGED, expected as in the lines with <'; exit 1; }
Redis: [run,completed | ] [run,completed | ] [run] [run]
PostgreSQL: [run,completed | ] [run,mismatch | run] [run] []
END
