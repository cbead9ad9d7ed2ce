// The output of the demo: one line for each result, with colours on a terminal that wants them (NO_COLOR is obeyed). No text of a
// server reaches the terminal raw, because a name may hold an escape sequence.

import {styleText} from 'node:util'

import {type DavResult, decodePath, type Failure, type Summary, visible} from 'multistatus'

/** Prints the headline of a step. */
export function title(text: string): void {
  console.log(`\n${styleText('bold', visible(text))}`)
}

/** Prints a remark under a step. */
export function note(text: string): void {
  console.log(styleText('dim', `  ${visible(text)}`))
}

/** Prints a result of a listing: kind or size, time, name. */
export function listed(result: DavResult): void {
  if (!result.ok) return verdict(result)
  const {resourcetype, getcontentlength, getlastmodified} = result.properties
  const isCollection = resourcetype?.includes('collection') === true
  const size = isCollection ? 'collection' : `${getcontentlength ?? '?'} B`
  const time = getlastmodified?.toISOString().slice(0, 16).replace('T', ' ') ?? ''
  const path = isCollection ? styleText('cyan', name(result)) : name(result)
  console.log(`  ${size.padStart(12)}  ${time.padEnd(16)}  ${path}`)
}

/** Prints the outcome for one resource. */
export function verdict(result: DavResult, remark = ''): void {
  const mark = result.ok ? styleText('green', '✓') : styleText('red', '✗')
  const said = result.ok ? visible(remark) : why(result)
  console.log(`  ${mark} ${result.status}  ${name(result)}${said && styleText('dim', `  ${said}`)}`)
}

/** Prints the summary of a stream: complete or not, and the counts. */
export function summarized({complete, incomplete, ...counts}: Summary): void {
  const {successes, failures, requests} = counts
  note(
    `complete: ${complete}, successes: ${successes}, failures: ${failures}, requests: ${requests}`,
  )
  for (const {href, reason, status} of incomplete)
    note(`incomplete: ${reason} ${status ?? ''} ${href}`)
}

/** Decodes the path of a result; its href if there is no plain path. */
function name(result: DavResult): string {
  return visible(decodePath(result) ?? result.href)
}

/** Explains a Failure by its reason, the server's conditions and the server's sentence. */
function why({reason, conditions, description}: Failure): string {
  return [reason, ...conditions, description ?? '']
    .filter((text) => text !== '')
    .map((text) => visible(text))
    .join(' · ')
}
