// What the demo prints: one line a result, colours only on a terminal that wants them (NO_COLOR is obeyed). Nothing that
// a server wrote reaches the terminal raw: a name may hold an escape sequence.

import {styleText} from 'node:util'

import {type DavResult, decodePath, type Failure, type Summary} from 'multistatus'

/** Makes characters visible that would move the cursor, change colours or turn the line around. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}

/** The path of a resource as people read it, or the href as it is where no plain path can hold it. */
export function name(result: DavResult): string {
  return visible(decodePath(result) ?? result.href)
}

/** The headline of a step. */
export function title(text: string): void {
  console.log(`\n${styleText('bold', visible(text))}`)
}

/** A remark under a step. */
export function note(text: string): void {
  console.log(styleText('dim', `  ${visible(text)}`))
}

/** A result of a listing: size or kind, time, name. */
export function listed(result: DavResult): void {
  if (!result.ok) return verdict(result)
  const {resourcetype, getcontentlength, getlastmodified} = result.properties
  const isCollection = resourcetype?.includes('collection') === true
  const size = isCollection ? 'collection' : `${getcontentlength ?? '?'} B`
  const time = getlastmodified?.toISOString().slice(0, 16).replace('T', ' ') ?? ''
  const path = isCollection ? styleText('cyan', name(result)) : name(result)
  console.log(`  ${size.padStart(12)}  ${time.padEnd(16)}  ${path}`)
}

/** What became of one resource. */
export function verdict(result: DavResult): void {
  if (result.ok) {
    console.log(`  ${styleText('green', `✓ ${result.status}`)}  ${name(result)}`)
  } else {
    const status = styleText('red', `✗ ${result.status || '---'}`)
    console.log(`  ${status}  ${name(result)}  ${styleText('dim', why(result))}`)
  }
}

/** Everything that a Failure says about its cause, in one line. */
function why({reason, conditions, description, request}: Failure): string {
  const attempts = request === undefined ? [] : [`attempt ${request.attempts}`]
  const said = description === undefined ? [] : [visible(description)]
  return [reason, ...conditions.map(visible), ...attempts, ...said].join(' · ')
}

/** The end of a stream: whether anything may be missing, and the counts. */
export function summarized(summary: Summary): void {
  const {complete, incomplete, successes, failures, requests} = summary
  note(
    `complete: ${complete} · successes: ${successes} · failures: ${failures} · requests: ${requests}`,
  )
  for (const {href, reason, status} of incomplete)
    note(`not complete: ${href}: ${reason} ${status ?? ''}`)
}
