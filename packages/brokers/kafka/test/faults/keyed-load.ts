import { setTimeout } from 'node:timers/promises'
import { patience, type Witness } from '@posthorn/test-faults'
import { expect, vi } from 'vitest'
import type { Transport } from '@posthorn/transport'

const keyCount = 20
const pauseMs = 50
/** Of a key, sent at once: the next follow when all of them have ended. */
const burst = 10
const maxBursts = 2_000

/**
 * Goes on sending the messages of several keys, many of each key at a time, until it is told to stop; that resolves when
 * every send has ended.
 */
export function startKeyedLoad(transport: Transport, queue: string, witness: Witness): () => Promise<void> {
  let isStopped = false
  const senders = Array.from({ length: keyCount }, async (_, key) => {
    for (let bursts = 0; !isStopped && bursts < maxBursts; bursts += 1) {
      await Promise.all(
        Array.from({ length: burst }, (__, index) => {
          const number = bursts * burst + index
          return witness.send(transport, queue, { id: `${key}:${number}`, key: `key-${key}`, data: number })
        }),
      )
      await setTimeout(pauseMs)
    }
  })
  return async () => {
    isStopped = true
    await Promise.all(senders)
  }
}

/** What was confirmed and first handled after something later of its key. */
export function findMisordered({ confirmed, handled }: Witness): string[] {
  const last = new Map<string, number>()
  return [...handled.keys()].filter((id) => {
    const [key = '', text] = id.split(':')
    const number = Number(text)
    const isLate = number < (last.get(key) ?? -1)
    if (!isLate) last.set(key, number)
    return isLate && confirmed.has(id)
  })
}

/** So many more messages of each key are handled. */
export async function expectProgressByKey(witness: Witness, count: number): Promise<void> {
  const before = countByKey(witness)
  await vi.waitFor(() => {
    const now = countByKey(witness)
    const slow = [...before].filter(([key, handled]) => (now.get(key) ?? 0) < handled + count)
    expect(slow).toEqual([])
  }, patience)
}

function countByKey({ handled }: Witness): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const id of handled.keys()) {
    const [key = ''] = id.split(':')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}
