import {DavClient, unwrap} from 'multistatus'
const dav = new DavClient({url: 'http://127.0.0.1:8077/'})
const lock = unwrap(await dav.lock('c/', {depth: 'infinity'}))
const uploads = (n: string) =>
  Array.from({length: 40}, (_, i) => ({href: `c/${n}${i}.bin`, body: new Uint8Array(200_000)}))
for (const n of ['a', 'b']) {
  let t = performance.now()
  const {successes, failures, summary} = await dav.putMany(uploads(n), {concurrency: 8}).collect()
  console.log(
    successes.length,
    failures.length,
    failures.slice(0, 2),
    summary.requests,
    successes.map(({attempts}) => attempts ?? 1).join(''),
    performance.now() - t,
  )
}
const all = [...uploads('a'), ...uploads('b')].map(({href}) => href)
const m = await dav
  .moveMany(
    all.slice(0, 30).map((from) => ({from, to: from + '.moved'})),
    {concurrency: 8},
  )
  .collect()
console.log('move', m.successes.length, m.failures.length, m.failures[0])
const r = await dav.deleteMany(all.slice(30), {concurrency: 8}).collect()
console.log(r.successes.length, r.failures.length, r.failures[0])
console.log(lock.signal.aborted, dav.locks.length)
console.log((await lock.unlock()).status)
