/** The rows of the table of syncs: one step each, done on every server of the table. */

export const syncRows = [
  'the first sync',
  'no change',
  'a changed, a new and a deleted member',
  'a renamed member',
  'changes behind an unknown token',
  'no change behind an unknown token',
  'five members in pages of two',
  'three changes in pages of two',
  'a change after a restart of the server',
] as const

export type SyncRow = (typeof syncRows)[number]
