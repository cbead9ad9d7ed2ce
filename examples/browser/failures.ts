// The list of failures, by verb and reason. A group has a retry only if one can help, and a check if the outcome is unknown.

import {byId, within} from './dom.ts'
import {type Action, canRetry, type Entry, type Group, type Ledger} from './ledger.ts'
import {count} from './words.ts'

const NOT: Readonly<Record<Action, string>> = {
  delete: 'deleted',
  move: 'moved',
  upload: 'uploaded',
  download: 'downloaded',
}
// A group may have 100,000 members. The export has all of them.
const MOST_NAMES = 200

/** Callbacks of the list. */
interface FailureEvents {
  readonly onRetry: (entries: readonly Entry[]) => void
  readonly onCheck: (entries: readonly Entry[]) => void
  /** Formats the name of a resource for people. */
  readonly nameOf: (entry: Entry) => string
}

/** The list of failures below the table. */
export class FailureList {
  readonly #ledger: Ledger
  readonly #events: FailureEvents
  readonly #list = byId('groups', HTMLElement)
  readonly #title = byId('failures-title', HTMLElement)
  readonly #all = byId('retry-all', HTMLButtonElement)
  readonly #groups = new Map<string, Group>()

  constructor(ledger: Ledger, events: FailureEvents) {
    this.#ledger = ledger
    this.#events = events
    this.#all.addEventListener('click', () => events.onRetry(ledger.entries.filter(canRetry)))
    this.#list.addEventListener('click', ({target}) => {
      const button = target instanceof Element ? target.closest('button') : null
      const entries = this.#groups.get(keyAt(target))?.entries
      if (button === null || entries === undefined) return
      if (button.className === 'check') events.onCheck(entries)
      else events.onRetry(entries.filter(canRetry))
    })
    // `toggle` does not bubble.
    this.#list.addEventListener('toggle', ({target}) => this.#showNames(keyAt(target)), true)
  }

  /** Shows the failures of the ledger. The buttons are disabled while a job runs. */
  show(isBusy: boolean): void {
    const {size, entries} = this.#ledger
    const retryable = entries.filter(canRetry).length
    byId('failures', HTMLElement).hidden = size === 0
    byId('forget', HTMLButtonElement).disabled = isBusy
    this.#title.textContent = count(size, 'failure')
    this.#all.hidden = retryable === 0
    this.#all.disabled = isBusy
    this.#all.textContent = `Retry ${count(retryable)}`
    this.#groups.clear()
    for (const group of this.#ledger.groups()) {
      const key = `${group.action} ${group.isUnknown} ${group.words}`
      this.#groups.set(key, group)
      // An element stays while its group does, so that focus and open names stay too.
      const item = this.#itemOf(key) ?? this.#addItem(key)
      fill(item, group, isBusy)
      this.#showNames(key)
    }
    for (const item of Array.from(this.#list.children))
      if (!this.#groups.has(keyAt(item))) item.remove()
  }

  #itemOf(key: string): Element | undefined {
    return [...this.#list.children].find((item) => keyAt(item) === key)
  }

  #addItem(key: string): Element {
    const copy = document.importNode(byId('group', HTMLTemplateElement).content, true)
    const item = within(copy, 'li', HTMLLIElement)
    item.dataset['key'] = key
    this.#list.append(item)
    return item
  }

  /** Names are made only while somebody looks at them. */
  #showNames(key: string): void {
    const [item, group] = [this.#itemOf(key), this.#groups.get(key)]
    if (item === undefined || group === undefined) return
    const {open} = within(item, 'details', HTMLDetailsElement)
    const names = open ? namesOf(group.entries, this.#events.nameOf) : []
    within(item, 'details ul', HTMLElement).replaceChildren(...names)
  }
}

function keyAt(target: EventTarget | null): string {
  const item = target instanceof Element ? target.closest<HTMLElement>('[data-key]') : null
  return item?.dataset['key'] ?? ''
}

function fill(item: Element, {action, words, isUnknown, entries}: Group, isBusy: boolean): void {
  item.classList.toggle('unknown', isUnknown)
  within(item, 'h3', HTMLElement).textContent = isUnknown
    ? `${count(entries.length)}: unknown if ${NOT[action]}, ${words}`
    : `${count(entries.length)} not ${NOT[action]}: ${words}`
  const check = within(item, '.check', HTMLButtonElement)
  check.hidden = !isUnknown
  check.disabled = isBusy
  const again = within(item, '.again', HTMLButtonElement)
  again.hidden = !entries.some(canRetry)
  again.disabled = isBusy
}

function namesOf(entries: readonly Entry[], nameOf: (entry: Entry) => string): HTMLElement[] {
  const items = entries.slice(0, MOST_NAMES).map((entry) => {
    const item = document.createElement('li')
    item.textContent = nameOf(entry)
    const words = document.createElement('span')
    words.className = 'said'
    words.textContent = entry.said === '' ? '' : ` ${entry.said}`
    item.append(words)
    return item
  })
  if (entries.length > MOST_NAMES) {
    const item = document.createElement('li')
    item.textContent = `and ${count(entries.length - MOST_NAMES, 'other')}: see the export`
    items.push(item)
  }
  return items
}
