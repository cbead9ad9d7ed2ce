import {makeBody, chunksOf, blocksFor, sizeOf} from './body.ts'
const {MultiStatusParser} = await import(process.env['SRC'] ?? '../../src/parser.ts')
const name = process.argv[2]!, rounds = Number(process.argv[3] ?? 5)
const body = makeBody(name)
const blocks = blocksFor(body, 50e6)
let best = Infinity
if (process.argv[4]) console.error(process.argv[4])
for (let r = 0; r < rounds; r++) {
  const t = performance.now()
  const parser = new MultiStatusParser({url: body.url, method: body.method})
  let n = 0
  for (const c of chunksOf(body, blocks)) n += parser.write(c).length
  parser.end()
  const ms = performance.now() - t
  best = Math.min(best, ms)
}
console.log(name, (sizeOf(body, blocks) / 1e3 / best).toFixed(1), 'MB/s')
