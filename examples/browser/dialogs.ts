// The questions before a bulk call. Each names the count, and nothing is sent without an answer.

import {byId, within} from './dom.ts'
import type {Row} from './row.ts'
import {count} from './words.ts'

const SAMPLE = 5

/** Asks before deleting. After a listing that is not complete, a box has to be ticked too. */
export async function confirmDelete(rows: readonly Row[], isCut: boolean): Promise<boolean> {
  const dialog = byId('delete-dialog', HTMLDialogElement)
  const yes = within(dialog, '[value=yes]', HTMLButtonElement)
  const box = within(dialog, '[type=checkbox]', HTMLInputElement)
  title(dialog, `Delete ${count(rows.length)}?`)
  sample(dialog, rows)
  within(dialog, '.inside', HTMLElement).hidden = !rows.some(({isFolder}) => isFolder)
  within(dialog, '.cut', HTMLElement).hidden = !isCut
  yes.textContent = `Delete ${count(rows.length)}`
  box.checked = false
  yes.disabled = isCut
  return ask(dialog, {change: () => (yes.disabled = isCut && !box.checked)})
}

/** The destination of a move, and its options. */
export interface MoveAnswer {
  /** The path of the folder, plain. */
  readonly folder: string
  /** The new name of the one resource, plain; absent if the names stay. */
  readonly name?: string
  readonly parents: boolean
  readonly overwrite: boolean
}

/**
 * Asks for the destination of a move.
 *
 * @param plainName - The name of the one resource; absent for several, and for one that has no plain name.
 * @param check - Returns the problem of an answer, or an empty text.
 */
export async function askMove(
  rows: readonly Row[],
  folder: string,
  plainName: string | undefined,
  check: (answer: MoveAnswer) => string,
): Promise<MoveAnswer | undefined> {
  const dialog = byId('move-dialog', HTMLDialogElement)
  const complaint = within(dialog, '.problem', HTMLElement)
  const input = (name: string) => within(dialog, `[name=${name}]`, HTMLInputElement)
  title(dialog, `Move ${count(rows.length)}`)
  within(dialog, '[value=yes]', HTMLButtonElement).textContent = `Move ${count(rows.length)}`
  within(dialog, '.one', HTMLElement).hidden = plainName === undefined
  input('folder').value = folder
  input('name').value = plainName ?? ''
  for (const name of ['parents', 'overwrite']) input(name).checked = false
  complaint.textContent = ''
  const answer = (): MoveAnswer => ({
    folder: input('folder').value,
    ...(plainName !== undefined && {name: input('name').value}),
    parents: input('parents').checked,
    overwrite: input('overwrite').checked,
  })
  const asked = ask(dialog, {
    submit: (event) => {
      complaint.textContent = check(answer())
      if (complaint.textContent !== '') event.preventDefault()
    },
  })
  const first = input(plainName === undefined ? 'folder' : 'name')
  first.focus()
  first.select()
  return (await asked) ? answer() : undefined
}

/** Asks before an upload, and returns whether files may be replaced; `undefined` for no upload. */
export async function askUpload(
  files: readonly File[],
  names: readonly {readonly name: string}[],
): Promise<{readonly overwrite: boolean} | undefined> {
  const dialog = byId('upload-dialog', HTMLDialogElement)
  const overwrite = within(dialog, '[name=overwrite]', HTMLInputElement)
  title(dialog, `Upload ${count(files.length, 'file')}`)
  within(dialog, '[value=yes]', HTMLButtonElement).textContent =
    `Upload ${count(files.length, 'file')}`
  sample(dialog, names)
  overwrite.checked = false
  return (await ask(dialog)) ? {overwrite: overwrite.checked} : undefined
}

/** Opens a dialog, and resolves when it is closed: `true` for its button of the value `yes`. */
function ask(
  dialog: HTMLDialogElement,
  listeners: Readonly<Record<string, (event: Event) => void>> = {},
): Promise<boolean> {
  const closed = new AbortController()
  const {signal} = closed
  dialog.returnValue = ''
  for (const [type, listener] of Object.entries(listeners))
    dialog.addEventListener(type, listener, {signal})
  const cancel = within(dialog, '.cancel', HTMLButtonElement)
  cancel.addEventListener('click', () => dialog.close(''), {signal})
  dialog.showModal()
  return new Promise((resolve) => {
    const close = (): void => {
      closed.abort()
      resolve(dialog.returnValue === 'yes')
    }
    dialog.addEventListener('close', close, {signal})
  })
}

function title(dialog: HTMLDialogElement, text: string): void {
  within(dialog, 'h2', HTMLElement).textContent = text
}

function sample(dialog: HTMLDialogElement, named: readonly {readonly name: string}[]): void {
  const lines = named.slice(0, SAMPLE).map(({name}) => name)
  if (named.length > SAMPLE) lines.push(`and ${count(named.length - SAMPLE, 'other')}`)
  const items = lines.map((line) => {
    const item = document.createElement('li')
    item.textContent = line
    return item
  })
  within(dialog, '.sample', HTMLElement).replaceChildren(...items)
}
