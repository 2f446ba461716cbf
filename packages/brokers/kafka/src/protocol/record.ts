/** One record as it is read; its parts are views of what was fetched. */
export interface KafkaRecord {
  readonly offset: number
  /** Epoch milliseconds: when it was made, or appended, as the topic has it. */
  readonly timestamp: number
  readonly key: Buffer | undefined
  /** `undefined` is a tombstone. */
  readonly value: Buffer | undefined
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Where the next one may be. */
  readonly nextOffset: number
  /** Why it cannot be read; `value` is the whole batch that it was in then, which it stands for. */
  readonly problem: string | undefined
}

/** One record as it is written. */
export interface NewRecord {
  /** Epoch milliseconds. */
  readonly timestamp: number
  readonly key: Uint8Array | string | undefined
  readonly value: Uint8Array | undefined
  readonly headers: Readonly<Record<string, string>>
}
