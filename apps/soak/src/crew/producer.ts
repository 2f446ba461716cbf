// Sends its share of the messages, each until it is confirmed, and writes down what became of each try.
import { setTimeout as sleep } from 'node:timers/promises'
import { connectWorker, openLedger, readLedger } from '@posthorn/test-brokers'
import { isPosthornError } from '@posthorn/transport'
import type { AllowMessage, MemberParameters } from './member.ts'
import { Bitmap } from '../judge/bitmap.ts'
import { keyCount, keyOf, numberOf, type SendEntry } from '../judge/entries.ts'
import { findBroker } from '../soak-broker.ts'
import { queue } from '../soak-queue.ts'

/** So many are announced in the ledger at a time before they are sent. */
const chunk = 2_000
const waitMs = 250
const lookEveryMs = 20
const pad = 'x'.repeat(200)

const member = connectWorker<MemberParameters>()
const { broker, url, ledger: path, messages, producers, place } = member.parameters
const ledger = await openLedger(path)
const write = (entry: SendEntry): Promise<void> => ledger.record({ ...entry })
const done = new Bitmap(messages)
let announced = 0
for await (const entry of readLedger(path)) {
  const number = numberOf(entry, 'confirmed')
  if (number !== undefined) done.add(number)
  announced = numberOf(entry, 'started') ?? announced
}
/** Below, the process before this one may have sent it. */
const takenOver = announced
let announcing: Promise<void> = Promise.resolve()
/** How far it may go, so that it does not end long before the workers. */
let allowed = 0
member.onMessage<AllowMessage>((message) => {
  allowed = message.allowed
})
let confirmed = done.count

const transport = await (await findBroker(broker)).connect(url)
const timer = setInterval(() => void member.tell({ type: 'progress', count: confirmed }), 250)
const keys = Array.from({ length: keyCount }, (_, key) => key).filter((key) => key % producers === place)
await Promise.all(keys.map(sendKey))
clearInterval(timer)
await transport.close()
await ledger.close()
await member.tell({ type: 'progress', count: confirmed })
await member.tell({ type: 'done' })
process.disconnect()

/** One after the other, since only what is confirmed has a place before the next one. */
async function sendKey(key: number): Promise<void> {
  for (let number = key; number < messages; number += keyCount) {
    if (done.has(number)) continue
    while (number >= allowed) await sleep(lookEveryMs)
    await announce(number)
    if (number < takenOver) await write({ again: number })
    await sendUntilConfirmed(number)
    await write({ confirmed: number })
    confirmed++
  }
}

async function announce(number: number): Promise<void> {
  if (number >= announced) {
    announced = number + chunk
    announcing = write({ started: announced })
  }
  await announcing
}

async function sendUntilConfirmed(number: number): Promise<void> {
  const message = { id: `soak-${number}`, key: `key-${keyOf(number)}`, data: { number, pad } }
  for (;;) {
    try {
      return await transport.send(queue, message)
    } catch (error) {
      const outcome = isPosthornError(error) && error.retryable ? error.outcome : undefined
      if (outcome === undefined) throw error
      await write(outcome === 'unknown' ? { unknown: number } : { rejected: number })
      await sleep(waitMs)
    }
  }
}
