import type { Handler } from '@posthorn/transport'
import type { Witness } from './witness.ts'

/** Handles every message but for the first attempt of each fifth one, so that faults meet retries, too. */
export function failingAtTimes(witness: Witness): Handler<unknown> {
  return (message, { attempt }) => {
    if (attempt === 1 && typeof message.data === 'number' && message.data % 5 === 0) throw new Error('again')
    witness.handle(message)
  }
}
