// Keeps a case that broke a rule of the oracle, so that test/parser/findings.test.ts reads it from then on.

import {createHash} from 'node:crypto'
import {mkdirSync, writeFileSync} from 'node:fs'

import {FINDINGS, type FuzzCase} from './cases.ts'

/**
 * Writes a case into the folder of findings: the body as it is, and all else beside it as JSON. Formatters leave that file
 * alone. Returns the path of the body.
 */
export function saveFinding(input: FuzzCase, signature: string, folder: URL = FINDINGS): string {
  const {body, ...rest} = input
  const facts = `${JSON.stringify({signature, ...rest}, undefined, 2)}\n`
  const name = createHash('sha256').update(facts).update(body).digest('hex').slice(0, 12)
  mkdirSync(folder, {recursive: true})
  writeFileSync(new URL(`${name}.bin`, folder), body)
  writeFileSync(new URL(`${name}.facts`, folder), facts)
  return new URL(`${name}.bin`, folder).pathname
}
