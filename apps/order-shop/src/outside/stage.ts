import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '@posthorn/transport'
import type { EffectEntry, Ledger, LedgerEntry } from './ledger.ts'
import type { Life } from './life.ts'
import type { RealWork } from './real-work.ts'
import type { Trouble } from '../faults/trouble.ts'

/** Whom the services ask to do something. */
export type Party =
  | 'payment'
  | 'charges'
  | 'warehouse'
  | 'sales'
  | 'customers'
  | 'mail'
  | 'images'
  | 'reports'

/** Where one process meets the world: every effect goes through here, and so does what goes wrong with it. */
export interface Stage {
  readonly folder: string
  /**
   * Asks a party for something: takes a while, may be refused, and may be the moment at which the process crashes.
   * Rejects with what the party says.
   */
  ask<Result>(party: Party, subject: string, effect: () => Result): Promise<Result>
  /** The same, for what takes real time. */
  askReal<Result>(party: Party, subject: string, effect: () => Promise<Result>): Promise<Result>
  /**
   * Writes a file that must not exist yet, and its line in the ledger. It is there as a whole or not at all, whenever the
   * process is killed, and of two with one key only the first has an effect; without a key each call makes a file of its
   * own.
   */
  writeOnce(name: FileName, content: string, entry: EffectEntry): void
  note(entry: LedgerEntry): void
  /** A moment at which the process may crash. */
  moment(party: Party, subject: string, when: 'before' | 'after'): Promise<void>
}

export interface FileName {
  readonly folder: string
  readonly key: string | undefined
  readonly extension: string
}

export interface StageParts {
  readonly folder: string
  readonly clock: Clock
  readonly ledger: Ledger
  readonly trouble: Trouble
  readonly realWork: RealWork
}

export function createStage(parts: StageParts, life: Life): Stage {
  const { folder, clock, ledger, trouble, realWork } = parts
  mkdirSync(join(folder, 'drafts'), { recursive: true })

  async function moment(party: Party, subject: string, when: 'before' | 'after'): Promise<void> {
    await trouble.strike(party, subject, when, life)
    // Goes no further where that was the end of the process.
    await life.wait(Promise.resolve())
  }

  async function ask<Result>(party: Party, subject: string, effect: () => Promise<Result>): Promise<Result> {
    await life.wait(
      new Promise<void>((resolve) => clock.setTimer(resolve, trouble.latencyMs(party, subject))),
    )
    let result: Result
    try {
      trouble.refuse(party, subject)
      await moment(party, subject, 'before')
      result = await life.wait(effect())
    } catch (error) {
      ledger.append({ effect: 'refusal', by: party, subject, error: String(error) })
      throw error
    }
    await moment(party, subject, 'after')
    return result
  }

  return {
    folder,
    ask: (party, subject, effect) => ask(party, subject, async () => effect()),
    askReal: (party, subject, effect) => ask(party, subject, () => realWork.run(effect)),
    writeOnce({ folder: name, key, extension }, content, entry) {
      const file = key === undefined ? `${ledger.count(entry.effect) + 1}` : encodeURIComponent(key)
      const draft = join(folder, 'drafts', `${process.pid}`)
      writeFileSync(draft, content)
      try {
        // Fails where the name is taken, in one atomic step.
        linkSync(draft, join(folder, name, `${file}.${extension}`))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        return ledger.append({ effect: 'repetition', of: entry.effect, orderId: entry.orderId })
      } finally {
        rmSync(draft)
      }
      ledger.append(entry)
    },
    moment,
    note: (entry) => ledger.append(entry),
  }
}
