// The page: a file manager over one WebDAV collection, in which every resource has its verdict. It holds no login: the browser
// asks for one, and sends it. index.html names the collection.

import {DavClient, decodePath, nameOf, visible} from 'multistatus'

import {
  check,
  CONCURRENCY,
  deleteSelected,
  type Desk,
  downloadRows,
  downloadSelected,
  moveSelected,
  retry,
  uploadFiles,
} from './actions.ts'
import {Board} from './board.ts'
import {byId, within} from './dom.ts'
import {FailureList} from './failures.ts'
import {currentFolder, linkTo, pathOf, showPath} from './folder.ts'
import type {Job} from './job.ts'
import {Ledger} from './ledger.ts'
import {exportLines} from './lines.ts'
import {Listing} from './listing.ts'
import type {Row} from './row.ts'
import {removeLeftovers} from './save.ts'
import {Status} from './status.ts'
import {Table} from './table.ts'
import {watchedTransport} from './transport.ts'
import {count, problem, size} from './words.ts'

// The pause between two drawings of the list of failures while a job runs.
const FAILURE_MILLISECONDS = 250

const dav = new DavClient({
  url: within(document, 'meta[name=dav-url]', HTMLMetaElement).content,
  concurrency: CONCURRENCY,
  transport: watchedTransport({
    onSend: ({method, url}) => job?.sent(method, url),
    onUpload: (url, bytes, total) => job?.moved(url, bytes, total),
  }),
})
const board = new Board()
const ledger = new Ledger()
const status = new Status()
let job: Job | undefined
let listing = new Listing()
let isFailureListStale = false
let failuresShownAt = 0

const table = new Table(
  byId('grid', HTMLElement),
  byId('rows', HTMLElement),
  byId('row', HTMLTemplateElement),
  {
    linkOf: (row) => linkTo(row, currentFolder(dav.url)),
    onOpen: open,
    onMove: () => act(moveSelected),
    onDelete: () => act(deleteSelected),
    onDraw: draw,
  },
)

const desk: Desk = {
  dav,
  board,
  ledger,
  folder: () => currentFolder(dav.url),
  isCut: () => listing.isCut,
  selected: () => table.selection.list(),
  addFirst: (rows) => table.addFirst(rows),
  onChange: () => {
    isFailureListStale = true
    table.draw()
  },
  async start(begun, results) {
    job = begun
    table.selection.clear()
    desk.onChange()
    status.say(job.words())
    await job.run(results)
    job = undefined
    status.end(begun.words())
    desk.onChange()
    if (document.activeElement === document.body) byId('grid', HTMLElement).focus()
  },
}

const failures = new FailureList(ledger, {
  onRetry: (entries) => act(() => retry(desk, entries)),
  onCheck: (entries) => act(() => check(desk, entries)),
  nameOf: ({failure}) => pathOf(failure.url, dav.url),
})

/** Begins an action, unless a job is under way. */
function act(action: (desk: Desk) => Promise<void>): void {
  if (job === undefined) void action(desk).catch((error: unknown) => status.end(problem(error)))
}

function open(row: Row): void {
  if (row.isGone === true) return
  if (row.isFolder) location.hash = linkTo(row, desk.folder())
  else if (row.result !== undefined) act(() => downloadRows(desk, [row]))
}

async function list(): Promise<void> {
  listing.stop()
  const current = new Listing()
  listing = current
  const folder = desk.folder()
  const home = nameOf(dav) || 'Home'
  showPath(byId('path', HTMLElement), folder, visible(home))
  document.title = visible(decodePath(folder.reference.slice(0, -1)) || home)
  await current.run(dav, folder, table, board)
  if (listing !== current) return
  table.end()
  status.say(`${count(table.rows.length)} listed. ${current.words}`)
}

/** Draws everything around the table, after the table. */
function draw(): void {
  const selected = table.selection.list()
  const bytes = selected.reduce((sum, row) => sum + (row.bytes ?? 0), 0)
  const listed = `${count(table.rows.length)}${listing.isEnded ? '' : ' so far'}`
  byId('chosen', HTMLOutputElement).value =
    selected.length === 0 ? listed : `${count(selected.length)} selected, ${size(bytes)}`
  const isBusy = job !== undefined
  for (const id of ['delete', 'move', 'download'])
    byId(id, HTMLButtonElement).disabled = isBusy || selected.length === 0
  byId('upload', HTMLButtonElement).disabled = isBusy
  byId('reload', HTMLButtonElement).textContent = listing.isEnded ? 'Reload' : 'Stop listing'
  const notice = byId('notice', HTMLElement)
  notice.hidden = listing.words === ''
  notice.textContent = listing.words
  byId('rows', HTMLElement).dataset['empty'] = emptyWords()
  byId('export', HTMLButtonElement).hidden = ledger.verdicts.length === 0
  if (job !== undefined) status.show(job)
  if (isFailureListStale) drawFailures(isBusy)
}

/** Draws the list of failures: seldom during a job, because it may be long. */
function drawFailures(isBusy: boolean): void {
  const now = performance.now()
  if (isBusy && now - failuresShownAt < FAILURE_MILLISECONDS) {
    setTimeout(() => table.draw(), FAILURE_MILLISECONDS)
    return
  }
  failuresShownAt = now
  isFailureListStale = false
  failures.show(isBusy)
}

function emptyWords(): string {
  if (!listing.isEnded) return 'Listing…'
  if (table.rows.length > 0) return 'No name matches the filter.'
  return listing.isCut ? 'Nothing was listed.' : 'This folder is empty.'
}

function onClick(id: string, run: () => void): void {
  byId(id, HTMLButtonElement).addEventListener('click', run)
}

onClick('all', () => {
  table.selection.all(table.shown)
  table.draw()
})
onClick('none', () => {
  table.selection.clear()
  table.draw()
})
onClick('reload', () => (listing.isEnded ? void list() : listing.stop()))
onClick('delete', () => act(deleteSelected))
onClick('move', () => act(moveSelected))
onClick('download', () => act(downloadSelected))
onClick('stop', () => {
  job?.stop()
  table.draw()
})
onClick('export', () => exportLines(ledger.verdicts, 'verdicts.jsonl'))
onClick('export-failures', () =>
  exportLines(
    ledger.entries.map(({failure}) => failure),
    'failures.jsonl',
  ),
)
onClick('forget', () => {
  board.forget(ledger.entries.map(({key}) => key))
  ledger.dismiss()
  desk.onChange()
})

const files = byId('files', HTMLInputElement)
onClick('upload', () => files.click())
files.addEventListener('change', () => {
  const chosen = [...(files.files ?? [])]
  files.value = ''
  act(() => uploadFiles(desk, chosen))
})
const grid = byId('grid', HTMLElement)
grid.addEventListener('dragover', (event) => {
  event.preventDefault()
  grid.classList.add('dropping')
})
grid.addEventListener('dragleave', () => grid.classList.remove('dropping'))
grid.addEventListener('drop', (event) => {
  event.preventDefault()
  grid.classList.remove('dropping')
  const dropped = [...(event.dataTransfer?.files ?? [])]
  act(() => uploadFiles(desk, dropped))
})

const filter = byId('filter', HTMLInputElement)
filter.addEventListener('input', () => table.filterBy(filter.value))
const order = byId('order', HTMLSelectElement)
order.addEventListener('change', () => table.orderBy(order.value))
addEventListener('hashchange', () => void list())
addEventListener('beforeunload', (event) => {
  if (job !== undefined) event.preventDefault()
})

void removeLeftovers()
await list()
