import { Letters } from './letters.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { SourceNames } from './names.ts'
import type { PublishOutcome, SettleItem } from '@posthorn/transport/driver'

/** Milliseconds that a copy may take. */
const copyTimeoutMs = 30_000

/** Writes the copies by which a source's deliveries are settled: to its retry topic and its dead letters. */
export class Copies {
  private readonly parts: ConsumerParts
  private readonly names: SourceNames
  private readonly letters: Letters

  constructor(parts: ConsumerParts, names: SourceNames) {
    this.parts = parts
    this.names = names
    this.letters = new Letters(parts, names)
  }

  /** Answers for each. `line` is the partition of the source that they are of. */
  async write(items: readonly SettleItem[], line: number): Promise<readonly PublishOutcome[]> {
    const { clock } = this.parts.host
    const now = clock.now()
    const retries: number[] = []
    const letters: number[] = []
    for (const [index, { verb }] of items.entries()) (verb === 'deadLetter' ? letters : retries).push(index)
    const outcomes = new Array<PublishOutcome>(items.length)
    const keep = (indexes: readonly number[], answers: readonly PublishOutcome[]): void => {
      for (const [at, index] of indexes.entries()) outcomes[index] = answers[at]!
    }
    const written: Promise<void>[] = []
    if (retries.length > 0) {
      const copies = retries.map((index) => {
        const { message, delayMs } = items[index]!
        const notBefore = delayMs > 0 ? now + delayMs : undefined
        return { message: { ...message, notBefore }, line, delayMs }
      })
      const copied = this.parts.dispatcher.copies(this.names, copies, now + copyTimeoutMs)
      written.push(copied.then((answers) => keep(retries, answers)))
    }
    if (letters.length > 0) {
      const copied = this.letters.write(
        letters.map((index) => items[index]!),
        now + copyTimeoutMs,
      )
      written.push(copied.then((answers) => keep(letters, answers)))
    }
    await Promise.all(written)
    return outcomes
  }
}
