import assert from 'node:assert/strict'
import { fixed, isPosthornError, type Transport } from '@posthorn/transport'
import { numbers } from '../bench/numbers.ts'
import type { Bench } from '../bench/bench.ts'
import type { Area } from '../behaviour.ts'

/** Sends until the broker has confirmed, with the same id, as a careful program does. */
async function sendUntilConfirmed(
  bench: Bench,
  transport: Transport,
  queue: string,
  data: number,
): Promise<void> {
  for (;;) {
    try {
      await transport.send(queue, { data, id: `order-${data}` }, { timeoutMs: 5_000 })
      return
    } catch (error) {
      if (!isPosthornError(error) || !error.retryable) throw error
      await bench.pause(50)
    }
  }
}

/** Every message that was confirmed is handled, while `disturb` is called again and again. */
async function underLoad(bench: Bench, disturb: () => Promise<void>): Promise<void> {
  const queue = bench.name('orders')
  const sender = await bench.open()
  const receiver = await bench.open()
  const seen = bench.record()
  await receiver.consume(
    queue,
    seen.handler(() => bench.pause(20)),
    { concurrency: 5 },
  )
  let confirmed = 0
  const sendAll = async (): Promise<void> => {
    for (const data of numbers(200)) {
      await sendUntilConfirmed(bench, sender, queue, data)
      confirmed += 1
      await bench.pause(10)
    }
  }
  const sending = bench.later(sendAll())
  for (let round = 1; round <= 5; round += 1) {
    await bench.until('some more are sent', () => confirmed >= round * 30)
    await disturb()
  }
  await bench.until('all are confirmed', () => confirmed === 200)
  await sending
  await bench.until('all are handled', () => new Set(seen.data).size === 200)
  await bench.quiet()
  assert.deepEqual([...new Set(seen.sorted)], numbers(200), 'every confirmed message is handled')
  assert.equal(await receiver.deadLetters(queue).count(), 0)
  // What was sent last may have been confirmed just before the last disturbance.
  await bench.until('both are up', () => [sender, receiver].every((one) => one.health().state === 'up'))
}

export const recovery: Area = {
  title: 'Recovery',
  behaviours: [
    {
      id: '37',
      sentence:
        'Given repeated broker restarts under load, then every confirmed message is handled and subscriptions recover unaided',
      needs: { features: ['durability'], faults: ['restart'] },
      run: (bench) => underLoad(bench, () => bench.faults.restart()),
    },
    {
      id: '37b',
      sentence:
        'Given connections that are cut under load, then every confirmed message is handled and subscriptions recover unaided',
      needs: { faults: ['cut'] },
      run: (bench) => underLoad(bench, () => bench.faults.cut('all')),
    },
    {
      id: '81',
      sentence:
        'Given a connection that is cut while a handler runs, then its late settlement settles nothing that is not its own any more',
      needs: { faults: ['cut'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const gates = [bench.gate(), bench.gate()]
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(async () => {
            const gate = gates[seen.calls.length - 1]
            if (gate === undefined) return
            await gate.opened
            if (gate === gates[1]) throw new Error('the second hand-out fails')
          }),
          { concurrency: 2, retryDelay: fixed(1_000) },
        )
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.until('the handler runs', () => seen.running === 1)
        await bench.faults.cut(transport)
        await bench.advance(1_000)
        const { lease, signal } = seen.calls[0]!.context
        assert.equal(signal.aborted, lease.lost)
        if (lease.lost) {
          await bench.until('it is handed out again', () => seen.calls.length === 2)
          assert.deepEqual(
            events.of('connection').map((event) => event.state),
            ['connecting', 'up'],
          )
          gates[0]?.open()
          await bench.advance(1_000)
          gates[1]?.open()
          await bench.until('the failed one comes again', () => seen.calls.length >= 3)
          await bench.quiet()
          bench.checkAttempts(seen.calls, [1, 1, 2])
        } else {
          // Its session outlives the connection, so it is still its own, and nobody else's.
          await bench.quiet()
          assert.equal(seen.calls.length, 1)
          gates[0]?.open()
          await bench.quiet()
          await transport.close()
          const other = await bench.open()
          await other.consume(queue, seen.handler())
          await bench.quiet()
          assert.equal(seen.calls.length, 1, 'it was settled')
        }
        assert.equal(events.of('leaseLost').length, lease.lost ? 1 : 0)
      },
    },
    {
      id: '82',
      sentence:
        'Given a connection that is cut, then health and events say so, what was declared and consumed is back, and set up anew only where it was lost',
      needs: { faults: ['cut', 'refuse'] },
      async run(bench) {
        const queue = bench.name('orders')
        const topic = bench.name('events')
        const transport = await bench.open()
        const other = await bench.open()
        const seen = bench.record()
        const gate = bench.gate()
        const handler = seen.handler(({ data }) => (data === 'held' ? gate.opened : undefined))
        await transport.consume(queue, handler)
        await transport.subscribe(topic, handler, { group: 'billing', patterns: ['order.*'] })
        await other.send(queue, { data: 'held' })
        await other.publish(topic, { data: 'held', type: 'order.created' })
        await bench.until('both are held', () => seen.running === 2)
        const held = seen.calls.map(({ context }) => context)
        const events = bench.events(transport)
        assert.equal(transport.health().state, 'up')
        await bench.faults.refuse(true)
        await bench.faults.cut(transport)
        await bench.until('health says so', () => transport.health().state === 'connecting')
        const { error, since } = transport.health()
        assert.ok(isPosthornError(error))
        assert.ok(since <= bench.now())
        await bench.advance(1_000)
        await other.send(queue, { data: 'meanwhile' })
        await other.publish(topic, { data: 'meanwhile too', type: 'order.created' })
        await bench.faults.refuse(false)
        await bench.until('it is back', () => transport.health().state === 'up')
        const isHandled = (data: string): boolean => seen.of(data).length > 0
        await bench.until('what came meanwhile is handled', () =>
          ['meanwhile', 'meanwhile too'].every(isHandled),
        )
        assert.equal(transport.health().error, undefined)
        assert.ok(transport.health().consumers.every((consumer) => consumer.state === 'up'))
        assert.deepEqual(
          events.of('connection').map((event) => event.state),
          ['connecting', 'up'],
        )
        const lost = held.filter(({ lease }) => lease.lost).map(({ source }) => source)
        await bench.until('what is lost is handed out again', () => seen.of('held').length >= 2 + lost.length)
        gate.open()
        await bench.quiet()
        const rebuilt = events.of('rebuilt').map(({ source }) => source)
        assert.equal(new Set(rebuilt).size, rebuilt.length, 'each is set up anew once')
        assert.ok(
          rebuilt.every((source) => lost.includes(source)),
          'what is kept is not set up anew',
        )
        assert.deepEqual(
          seen
            .of('held')
            .map(({ context }) => context.source)
            .toSorted(),
          [queue, `${topic}/billing`, ...lost].toSorted(),
          'what is lost is handed out once more, and nothing else',
        )
        assert.equal(seen.calls.length, 4 + lost.length)
      },
    },
    {
      id: '85',
      sentence:
        'Given several instances and connections that come and go, then an order by key is kept and each message handled',
      needs: { features: ['keyOrder', 'holdKey'], faults: ['cut'] },
      async run(bench) {
        const queue = bench.name('orders')
        const processes = await Promise.all([bench.open(), bench.open()])
        const sender = await bench.open()
        await bench.declareKeyed(sender, queue)
        const seen = bench.record()
        for (const transport of processes) {
          await transport.consume(
            queue,
            seen.handler(() => bench.pause(25)),
            { order: 'key', concurrency: 3 },
          )
        }
        const keys = ['a', 'b', 'c', 'd']
        await sender.sendMany(
          queue,
          numbers(120).map((data) => ({ data, key: keys[data % keys.length] ?? '' })),
        )
        for (const transport of [...processes, ...processes]) {
          const before = seen.calls.length
          await bench.until('some more are handled', () => seen.calls.length >= Math.min(before + 10, 120))
          await bench.faults.cut(transport)
        }
        await bench.until('all are handled', () => new Set(seen.data).size === 120)
        await bench.quiet()
        for (const [index, key] of keys.entries()) {
          const firsts = [
            ...new Set(seen.calls.filter((call) => call.message.key === key).map((call) => call.data)),
          ]
          assert.deepEqual(
            firsts,
            numbers(30).map((step) => step * keys.length + index),
            `first attempts of key ${key}`,
          )
        }
      },
    },
  ],
}
