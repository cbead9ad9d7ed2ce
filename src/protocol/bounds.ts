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

// listing

// engine
