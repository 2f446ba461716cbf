import { systemClock } from '@posthorn/transport/driver'
import { expect, test } from 'vitest'
import { Mover } from './mover.ts'
import { Reading } from './reading.ts'
import { batchAt } from '../test/batch-at.ts'
import type { Committer } from './committer.ts'
import type { Publisher } from './publisher.ts'

test.each([
  ['a thousand', 100, 1_500, 1_000],
  ['as many as have 4 MiB', 1_000_000, 20, 5],
])('%s are read ahead, and the rest is left in the log', (_, size, count, expected) => {
  const partition = 12
  const reading = new Reading({ topic: 'orders..retry', partition }, 0, '')
  const mover = new Mover(reading, {
    clock: systemClock,
    committer: { mark: () => undefined, forget: () => undefined } as unknown as Committer,
    publisher: {} as Publisher,
    retry: 'orders..retry',
    partitions: () => 1,
    ready: () => 1,
    matches: () => true,
    drained: () => undefined,
  })
  const later = `${systemClock.now() + 600_000}`
  const batches = Array.from({ length: count }, (__, offset) =>
    batchAt(offset, Buffer.alloc(size), { 'posthorn-not-before': later }),
  )
  const bytes = Buffer.concat(batches)
  reading.line.accept({ topic: 'orders..retry', partition, error: 0, logStart: 0, aborted: [], bytes })
  expect(reading.position.next).toBe(expected)
  mover.close()
})
