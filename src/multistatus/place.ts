/** What the reader of the grammar asks of the scanner that feeds it. */

/** Where the markup that is being read stands. */
export interface Place {
  /** In bytes from the beginning, as UTF-8. */
  position(): number
  /** Keeps what is read, in recovery. */
  recording(): {start(): void; stop(): void}
  /** The text of the value that is being read. */
  value(): string
}
