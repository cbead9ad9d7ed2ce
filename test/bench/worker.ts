// Measures one contender with one body in a process of its own, free of the machine code and the heap of another one. Answers each line on the standard input with one line of JSON: `check` reports the reading, anything else reads
// once against the clock. Arguments: contender, body, bytes.

import {createInterface} from 'node:readline'

import {BLOCK, blocksFor, makeBody} from './body.ts'
import {CONTENDERS} from './contenders.ts'
import type {Answer} from './process.ts'

const [name = '', bodyName = '', bytes = ''] = process.argv.slice(2)
const contender = CONTENDERS[name]
if (contender === undefined) throw new RangeError(`no contender is called ${name}`)
const body = makeBody(bodyName)
const task = {body, blocks: blocksFor(body, Number(bytes))}
const read = await contender.open(task)

for await (const line of createInterface({input: process.stdin})) {
  const answer = line === 'check' ? await check() : await measure()
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

async function check(): Promise<Answer> {
  const properties = await contender?.countProperties?.({body, blocks: 1})
  return {...(await measure()), ...(properties === undefined ? {} : {properties})}
}

async function measure(): Promise<Answer> {
  const begin = performance.now()
  const responses = await read()
  const milliseconds = performance.now() - begin
  if (responses !== task.blocks * BLOCK)
    throw new Error(`${responses} of ${task.blocks * BLOCK} responses were read`)
  return {milliseconds, responses, peak: process.resourceUsage().maxRSS / 1000}
}
