import { expect, test } from 'vitest'
import { findBroken } from './broken.ts'
import { writeReport } from './report.ts'
import type { SoakResult } from './run-soak.ts'

const none = { count: 0, first: [] }
const kept: SoakResult = {
  server: 'RabbitMQ 4.0.5',
  verdict: {
    confirmed: 1_000,
    rejected: 1,
    unknown: 2,
    sentAgain: 3,
    handled: 1_000,
    duplicates: 5,
    explained: { 'sent again': 1, 'server killed': 4 },
    unexplained: none,
    outOfOrder: none,
    lost: none,
    unconfirmed: none,
    retried: 20,
  },
  faults: [{ kind: 'server killed', target: 'server', startedAt: 0, endedAt: 1 }],
  left: {},
  crashes: [],
  stalled: false,
  folder: '/tmp/ledgers',
  tookMs: 2_000,
  memory: { server: 2 ** 20 },
}
const run = { messages: 1_000, restarts: 1, seed: 9, ordered: true }

test('says that all was kept, with figures in 80 columns', () => {
  const text = writeReport(kept, run)
  expect(findBroken(kept)).toEqual([])
  expect(text).toContain('Soak on RabbitMQ 4.0.5: 1,000 messages, 1 restart, seed 9, ordered by key')
  expect(text).toMatch(/^ {2}by server killed +4$/m)
  expect(text).toMatch(/^ {2}handled, faults included +500\/s$/m)
  expect(text).toMatch(/^Kept: /m)
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
})

const found = { count: 11, first: [7] }

test.each([
  [
    'a lost message',
    { verdict: { ...kept.verdict, lost: found } },
    '11 confirmed, and nothing was done: soak-7',
  ],
  ['one that was never confirmed', { verdict: { ...kept.verdict, unconfirmed: found } }, 'never confirmed'],
  ['a duplicate that nothing explains', { verdict: { ...kept.verdict, unexplained: found } }, 'done again'],
  [
    'a wrong order',
    { verdict: { ...kept.verdict, outOfOrder: found } },
    'after a later message of their key',
  ],
  ['what is left', { left: { 'soak.dlq': 2 } }, '2 left in soak.dlq'],
  ['a process that ended by itself', { crashes: ['oh'] }, 'a process ended by itself: oh'],
  ['a standstill', { stalled: true }, 'nothing moved any more'],
])('names %s as broken', (_, change, text) => {
  const result = { ...kept, ...change }
  expect(findBroken(result)).toEqual([expect.stringContaining(text)])
  expect(writeReport(result, run)).toMatch(/^BROKEN:$/m)
})
