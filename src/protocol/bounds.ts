/**
 * Bounds of memory, work and time that no option sets, one section for each folder. Public limits are in `multistatus/limits.ts`.
 * Each name ends with its unit.
 */

// protocol

// xml

// properties

// multistatus

// transport

// retry

// call

/** Milliseconds that a bulk call waits for the answers to sent requests, after a signal has ended it. */
export const GRACE_MILLISECONDS = 1000

// listing

// engine

/** Targets with a verdict that a bulk call remembers, at the least. Twice as many at the most. */
export const REMEMBERED_TARGETS = 10_000
/** Milliseconds between two reports of progress: often enough to be drawn, seldom enough to cost nothing. */
export const PROGRESS_MILLISECONDS = 100
/** Milliseconds over which the rate of progress is measured. */
export const RATE_MILLISECONDS = 5000
