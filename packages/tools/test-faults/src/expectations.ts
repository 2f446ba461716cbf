import { isPosthornError, type Transport } from '@posthorn/transport'
import { expect, vi } from 'vitest'
import type { Witness } from './witness.ts'

/** What comes back by itself does so within this time, also on a busy machine. Milliseconds. */
export const patience = { timeout: 30_000, interval: 5 } as const

/** Of what is missing. */
const maxShown = 20

/** Of what a fault made fail once or twice. */
const maxTries = 10

export async function expectUp(...transports: readonly Transport[]): Promise<void> {
  for (const transport of transports) {
    const up = { state: 'up', error: undefined }
    await vi.waitFor(() => expect(transport.health()).toMatchObject(up), patience)
  }
}

/** All that was confirmed is handled, nothing that was refused, and every send had an outcome. */
export async function expectKept(witness: Witness): Promise<void> {
  await vi.waitFor(() => expect(witness.missing.slice(0, maxShown)).toEqual([]), patience)
  expect(witness.strange).toEqual([])
  expect(witness.untrue).toEqual([])
}

/** The source is empty, which it stays: nothing waits to come back. */
export async function expectEmpty(transport: Transport, source: string): Promise<void> {
  await vi.waitFor(async () => expect(await transport.depth(source)).toMatchObject({ ready: 0 }), patience)
}

/** So many more messages are confirmed and so many more handled. */
export async function expectProgress(witness: Witness, count: number): Promise<void> {
  const [confirmed, handled] = [witness.confirmed.size + count, witness.handled.size + count]
  await vi.waitFor(() => {
    expect(witness.confirmed.size).toBeGreaterThanOrEqual(confirmed)
    expect(witness.handled.size).toBeGreaterThanOrEqual(handled)
  }, patience)
}

/** Does it again where it failed by a fault. */
export async function untilDone<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (tries === maxTries || !isPosthornError(error) || !error.retryable) throw error
    }
  }
}
