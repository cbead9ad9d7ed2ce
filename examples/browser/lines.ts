// Exports results as JSON lines. Another program reads the failures, and sends them again by `dav.retry`.

/** Hands a file with one line of JSON for each value to the browser. */
export function exportLines(values: readonly unknown[], name: string): void {
  const lines = values.map((value) => `${JSON.stringify(value)}\n`)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob(lines, {type: 'application/jsonl'}))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
