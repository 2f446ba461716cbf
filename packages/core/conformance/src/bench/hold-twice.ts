import { fixed, type ConsumeOptions, type Handler } from '@posthorn/transport'
import type { Bench } from './bench.ts'
import type { EventLog } from './event-log.ts'
import type { Recorder } from './recorder.ts'

/** Two processes, and a message that the first hand-out holds until it is let go, then acks. The second one fails. */
export async function holdTwice(
  bench: Bench,
  queue: string,
  options: ConsumeOptions = {},
): Promise<{ events: EventLog; seen: Recorder; letGo: () => void; fail: () => void }> {
  const holder = await bench.open()
  const seen = bench.record()
  const [first, second] = [bench.gate(), bench.gate()]
  const handler = (by: string): Handler =>
    seen.handler(async (call) => {
      const handOut = seen.calls.indexOf(call)
      if (handOut === 0) await first.opened
      if (handOut !== 1) return
      await second.opened
      throw new Error('the second holder fails')
    }, by)
  const consuming = { concurrency: 2, retryDelay: fixed(1_000), ...options }
  await holder.consume(queue, handler('holder'), consuming)
  await holder.send(queue, { data: 'held', id: 'order-1' })
  await bench.until('the handler runs', () => seen.running === 1)
  const other = await bench.open()
  await other.consume(queue, handler('other'), consuming)
  return { events: bench.events(holder), seen, letGo: () => first.open(), fail: () => second.open() }
}
