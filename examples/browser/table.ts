// The table: a window of row elements over a spacer, so that 100,000 rows cost as much as 50. The keyboard moves one active row.

import {arrange} from './order.ts'
import {isSelectable, type Row} from './row.ts'
import {Selection} from './selection.ts'
import {size, time} from './words.ts'

// Firefox gives an element of 17.9 million pixels no height at all. A longer table is scrolled in proportion.
const MAX_PIXELS = 15_000_000
const ROWS_AROUND = 8

/** The parts of a row element. */
interface RowView {
  readonly element: HTMLElement
  readonly link: HTMLAnchorElement
  readonly size: Element
  readonly time: Element
  readonly verdict: HTMLElement
}

/** The visible part of the table: rows from `first` up to `last`, at pixels from the top of the whole table. */
interface View {
  readonly first: number
  readonly last: number
  readonly top: number
  readonly height: number
}

/** Callbacks of the table. */
interface TableEvents {
  /** Returns the address of a folder, for its link. */
  readonly linkOf: (row: Row) => string
  readonly onOpen: (row: Row) => void
  readonly onMove: () => void
  readonly onDelete: () => void
  /** Called after each drawing. */
  readonly onDraw: () => void
}

/** The table of the page. */
export class Table {
  readonly selection: Selection = new Selection()
  readonly #grid: HTMLElement
  readonly #body: HTMLElement
  readonly #template: HTMLTemplateElement
  readonly #events: TableEvents
  readonly #views: RowView[] = []
  #rows: Row[] = []
  #shown: readonly Row[] = []
  #filter = ''
  #order = 'listed'
  #active = 0
  #isGrowing = false
  #isStale = false
  #isWaiting = false

  constructor(
    grid: HTMLElement,
    body: HTMLElement,
    template: HTMLTemplateElement,
    events: TableEvents,
  ) {
    this.#grid = grid
    this.#body = body
    this.#template = template
    this.#events = events
    const draw = (): void => this.draw()
    grid.addEventListener('scroll', draw, {passive: true})
    new ResizeObserver(draw).observe(grid)
    body.addEventListener('click', (event) => this.#click(event))
    body.addEventListener('dblclick', (event) => {
      const row = this.#shown[this.#indexOf(event) ?? -1]
      if (row !== undefined) events.onOpen(row)
    })
    grid.addEventListener('keydown', (event) => this.#press(event))
  }

  /** All rows, in the order of the listing. */
  get rows(): readonly Row[] {
    return this.#rows
  }

  /** Rows that pass the filter, in their order on the screen. */
  get shown(): readonly Row[] {
    if (this.#isStale) this.#arrange()
    return this.#shown
  }

  /** Empties the table for a new listing. */
  begin(): void {
    this.#rows = []
    this.#isGrowing = true
    this.selection.clear()
    this.#active = 0
    this.#grid.scrollTop = 0
    this.#arrange()
  }

  /** Adds listed rows. They are in the server's order until the listing has ended, so that no row moves under the pointer. */
  add(rows: readonly Row[]): void {
    for (const row of rows) this.#rows.push(row)
    this.#isStale = true
    this.draw()
  }

  /** Puts rows before the others: uploads. */
  addFirst(rows: readonly Row[]): void {
    this.#rows = [...rows, ...this.#rows]
    this.#arrange()
    this.selection.reorder()
  }

  /** The listing has ended: its rows take the chosen order. */
  end(): void {
    this.#isGrowing = false
    this.#arrange()
  }

  filterBy(text: string): void {
    this.#filter = text
    this.#arrange()
    this.selection.keep(this.#shown)
  }

  orderBy(order: string): void {
    this.#order = order
    this.#arrange()
    this.selection.reorder()
  }

  /** Draws at the next frame, however often it is called. */
  draw(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    requestAnimationFrame(() => {
      this.#isWaiting = false
      this.#drawNow()
    })
  }

  #arrange(): void {
    const order = this.#isGrowing ? 'listed' : this.#order
    this.#isStale = false
    this.#shown = arrange(this.#rows, this.#filter, order)
    this.#active = Math.min(this.#active, Math.max(0, this.#shown.length - 1))
    this.draw()
  }

  #drawNow(): void {
    if (this.#isStale) this.#arrange()
    const {first, last, top, height} = this.#view()
    const {scrollTop} = this.#grid
    const rowHeight = this.#rowHeight()
    this.#body.style.height = `${height}px`
    this.#grid.setAttribute('aria-rowcount', this.#isGrowing ? '-1' : `${this.#shown.length + 1}`)
    while (this.#views.length > last - first) this.#views.pop()?.element.remove()
    for (let index = first; index < last; index++) {
      const row = this.#shown[index]
      if (row === undefined) continue
      const rowView = (this.#views[index - first] ??= this.#addView())
      rowView.element.style.transform = `translateY(${scrollTop + index * rowHeight - top}px)`
      this.#fill(rowView, row, index)
    }
    const isShown = this.#active >= first && this.#active < last
    if (isShown) this.#grid.setAttribute('aria-activedescendant', `row-${this.#active}`)
    else this.#grid.removeAttribute('aria-activedescendant')
    this.#events.onDraw()
  }

  #view(): View {
    const rowHeight = this.#rowHeight()
    const whole = this.#shown.length * rowHeight
    const height = Math.min(whole, MAX_PIXELS)
    const room = this.#room()
    const scale = height > room ? (whole - room) / (height - room) : 1
    const top = this.#grid.scrollTop * scale
    const first = Math.max(0, Math.floor(top / rowHeight) - ROWS_AROUND)
    const last = Math.min(this.#shown.length, Math.ceil((top + room) / rowHeight) + ROWS_AROUND)
    return {first, last, top, height}
  }

  /** Pixels for rows: the height without the head, which stays at the top. */
  #room(): number {
    return this.#grid.clientHeight - this.#body.offsetTop
  }

  #rowHeight(): number {
    return Number.parseFloat(getComputedStyle(this.#grid).getPropertyValue('--row'))
  }

  #addView(): RowView {
    const copy = document.importNode(this.#template.content, true)
    const [element, link] = [copy.querySelector<HTMLElement>('.row'), copy.querySelector('a')]
    const [bytes, changed] = [copy.querySelector('.size'), copy.querySelector('.time')]
    const verdict = copy.querySelector<HTMLElement>('.verdict')
    if (!element || !link || !bytes || !changed || !verdict) throw new Error('no row template')
    this.#body.append(element)
    return {element, link, size: bytes, time: changed, verdict}
  }

  #fill({element, link, size: bytes, time: changed, verdict}: RowView, row: Row, index: number) {
    element.id = `row-${index}`
    element.ariaRowIndex = `${index + 2}`
    element.dataset['verdict'] = row.verdict
    element.classList.toggle('gone', row.isGone === true)
    element.classList.toggle('active', index === this.#active)
    if (isSelectable(row)) element.ariaSelected = `${this.selection.has(row)}`
    else element.removeAttribute('aria-selected')
    link.textContent = row.name
    link.title = row.name
    if (row.isFolder && row.isGone !== true) link.href = this.#events.linkOf(row)
    else link.removeAttribute('href')
    bytes.textContent = row.bytes === undefined ? '' : size(row.bytes)
    changed.textContent = row.changed === undefined ? '' : time(row.changed)
    verdict.textContent = row.words
    verdict.title = row.words
  }

  #indexOf({target}: Event): number | undefined {
    const element = target instanceof Element ? target.closest('.row') : null
    return element === null ? undefined : Number(element.id.slice('row-'.length))
  }

  #click(event: MouseEvent): void {
    const index = this.#indexOf(event)
    // A link of a folder is followed.
    if (index === undefined || (event.target instanceof Element && event.target.closest('[href]')))
      return
    this.#active = index
    if (event.shiftKey) this.selection.extend(this.shown, index)
    else this.selection.toggle(this.#shown, index)
    this.draw()
  }

  #press(event: KeyboardEvent): void {
    const {key, shiftKey} = event
    const page = Math.max(1, Math.floor(this.#room() / this.#rowHeight()) - 1)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      PageDown: this.#active + page,
      PageUp: this.#active - page,
      Home: 0,
      End: this.#shown.length - 1,
    }
    const to = moves[key]
    if (to !== undefined) this.#go(to, shiftKey)
    else if (!this.#command(event)) return
    event.preventDefault()
    this.draw()
  }

  #command({key, ctrlKey, metaKey}: KeyboardEvent): boolean {
    const row = this.#shown[this.#active]
    if (key === ' ') this.selection.toggle(this.#shown, this.#active)
    else if (key === 'a' && (ctrlKey || metaKey)) this.selection.all(this.shown)
    else if (key === 'Escape') this.selection.clear()
    else if (key === 'Enter' && row !== undefined) this.#events.onOpen(row)
    else if (key === 'Delete') this.#events.onDelete()
    else if (key === 'F2') this.#events.onMove()
    else return false
    return true
  }

  /** Makes a row the active one, and scrolls it into the view. */
  #go(to: number, isRange: boolean): void {
    this.#active = Math.max(0, Math.min(to, this.#shown.length - 1))
    if (isRange) this.selection.extend(this.#shown, this.#active)
    else this.selection.anchorAt(this.#shown, this.#active)
    const [rowHeight, room] = [this.#rowHeight(), this.#room()]
    const {top, height} = this.#view()
    const wanted = Math.min(this.#active * rowHeight, top)
    const target = Math.max(wanted, (this.#active + 1) * rowHeight - room)
    const whole = this.#shown.length * rowHeight
    this.#grid.scrollTop = height > room ? (target * (height - room)) / (whole - room) : 0
  }
}
