// Lists a tree once and prints a line for each resource in it, as `rclone lsf` does: `walk`, `infinity` or `webdav`, the
// URL, and the concurrency.

const [kind, url = '', concurrency = '8'] = process.argv.slice(2)
let lines = ''

if (kind === 'webdav') {
  const {createClient} = await import('webdav')
  const members = await createClient(url).getDirectoryContents('/', {deep: true})
  if (!Array.isArray(members)) throw new Error('there is no list')
  for (const {filename} of members) print(filename)
} else {
  const {DavClient} = await import('multistatus')
  const dav = new DavClient({url})
  const stream = dav.propfind('', {
    depth: kind === 'walk' ? {walk: true} : 'infinity',
    concurrency: Number(concurrency),
  })
  for await (const {ok, href, relation} of stream) {
    if (!ok) throw new Error(`${href} failed`)
    if (relation !== 'self') print(href)
  }
  const {complete, incomplete} = await stream.summary
  if (!complete) throw new Error(JSON.stringify(incomplete))
}
process.stdout.write(lines)

function print(line: string): void {
  lines += `${line}\n`
  if (lines.length < 65_536) return
  process.stdout.write(lines)
  lines = ''
}
