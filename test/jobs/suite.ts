/** The facts about jobs that hold on each store. */

import {describe} from 'vitest'

import {describeComparing} from './facts/comparing.ts'
import {describeDeleting} from './facts/deleting.ts'
import {describeGoverning} from './facts/governing.ts'
import {describeListing} from './facts/listing.ts'
import {describeMeasuring} from './facts/measuring.ts'
import {describeTransferring} from './facts/transferring.ts'
import {describeWorking} from './facts/working.ts'
import {benches, type TestStore} from './support/bench.ts'

/** Declares all facts about jobs for one kind of ledger. Each test has a new one. */
export function describeJobs(name: string, makeStore: () => Promise<TestStore>): void {
  const using = benches(makeStore)
  describe(`${name}:`, () => {
    describeDeleting(using)
    describeListing(using)
    describeComparing(using)
    describeTransferring(using)
    describeWorking(using)
    describeGoverning(using)
    describeMeasuring(using)
  })
}
