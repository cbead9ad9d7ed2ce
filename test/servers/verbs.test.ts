/**
 * All verbs on eight real servers. Each step is compared with the disk, or with a raw request for its properties. Its outcome is
 * right, a refusal that changed nothing, or a known fault of the server. The table of all outcomes is part of the guide.
 */
import {verbServers} from './servers.ts'
import {describeTable} from './support/table.ts'
import {moving} from './verbs/moving.ts'
import {proppatch} from './verbs/proppatch.ts'
import {reading} from './verbs/reading.ts'
import {type VerbRow, verbRows} from './verbs/rows.ts'
import {makeScene} from './verbs/scene.ts'
import {cellOf, type Step} from './verbs/step.ts'
import {writing} from './verbs/writing.ts'

const steps: Readonly<Record<VerbRow, Step>> = {...reading, ...writing, ...proppatch, ...moving}

describeTable({
  name: 'verbs',
  rows: verbRows,
  servers: verbServers,
  traitsOf: ({verbs}) => verbs,
  run: async (row, server) => {
    const step = steps[row]
    return cellOf(step, await step.run(await makeScene(server)))
  },
})
