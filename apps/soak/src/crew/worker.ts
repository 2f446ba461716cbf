// Handles messages: the effect of each is a line in the worker's ledger, on the disk before the message is acked.
import { connectWorker, openLedger } from '@posthorn/test-brokers'
import { fixed } from '@posthorn/transport'
import type { MemberParameters } from './member.ts'
import { failsAtFirst, type HandledEntry } from '../judge/entries.ts'
import { findBroker } from '../soak-broker.ts'
import { queue } from '../soak-queue.ts'

const member = connectWorker<MemberParameters>()
const { broker, url, ledger: path, ordered } = member.parameters
const ledger = await openLedger(path)
const transport = await (await findBroker(broker)).connect(url)
let count = 0

await transport.consume<{ readonly number: number }>(
  queue,
  async function handle({ data: { number } }, { attempt, deliveries }) {
    const startedAt = Date.now()
    if (attempt === 1 && failsAtFirst(number)) throw new Error('planned: every 47th fails at first')
    const entry: HandledEntry = { handled: number, startedAt, deliveries, attempt }
    await ledger.record({ ...entry })
    count++
  },
  // So many kills may hand a message out very often; here that must not end in the dead letters.
  {
    concurrency: 100,
    prefetch: 400,
    retryDelay: fixed(200),
    maxDeliveries: 10_000,
    order: ordered ? 'key' : 'none',
  },
)
const timer = setInterval(() => void member.tell({ type: 'progress', count }), 250)

member.onMessage(({ type }) => {
  if (type === 'stop') void stop()
})

async function stop(): Promise<void> {
  clearInterval(timer)
  await transport.close()
  await ledger.close()
  await member.tell({ type: 'progress', count })
  await member.tell({ type: 'done' })
  process.disconnect()
}
