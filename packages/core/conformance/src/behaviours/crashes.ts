import assert from 'node:assert/strict'
import { fixed, type Transport } from '@posthorn/transport'
import { numbers } from '../bench/numbers.ts'
import type { Bench } from '../bench/bench.ts'
import type { Area } from '../behaviour.ts'

const deadly = 37

/** One message of a hundred ends the process of whoever handles it, again and again. */
async function poison(bench: Bench, order: 'none' | 'key'): Promise<void> {
  const queue = bench.name('orders')
  const operator = await bench.open()
  if (order === 'key') await bench.declareKeyed(operator, queue)
  else await operator.declare({ queues: [{ name: queue }] })
  await operator.sendMany(
    queue,
    numbers(100).map((data) => ({ data, id: `order-${data}`, key: `customer-${data % 7}` })),
  )
  const handled = new Set<unknown>()
  const killed: Transport[] = []
  let poisoned = 0
  let suspects = 0
  const maxDeliveries = 8
  // Where crashes spend attempts, a neighbour may run out of them.
  const done = async (): Promise<boolean> => {
    const count = await operator.deadLetters(queue).count()
    return count > 0 && (bench.countsFailures ? handled.size === 99 : handled.size + count >= 100)
  }

  // A process that is killed is started again, as a supervisor would.
  while (killed.length <= maxDeliveries && !(await done())) {
    const transport = await bench.open()
    transport.on('suspect', () => {
      suspects += 1
    })
    const isDead = (): boolean => killed.includes(transport)
    await transport.consume(
      queue,
      async ({ data }) => {
        if (data === deadly) {
          poisoned += 1
          killed.push(transport)
          await bench.faults.kill(transport)
          return
        }
        await bench.pause(5)
        if (!isDead()) handled.add(data)
      },
      { order, concurrency: 10, prefetch: 100, maxDeliveries, retryDelay: fixed(1_000) },
    )
    await bench.until('it is killed, or all is done', async () => isDead() || (await done()))
  }
  await bench.quiet()
  const { entries } = await operator.deadLetters(queue).page({ limit: 100 })
  assert.ok(entries.some((entry) => entry.id === `order-${deadly}`))
  if (!bench.countsFailures) {
    const kept = new Set([
      ...[...handled].map((data) => `order-${String(data)}`),
      ...entries.map((entry) => entry.id),
    ])
    assert.equal(kept.size, 100, 'nothing is lost')
    return
  }
  assert.deepEqual(
    [...handled].toSorted((a, b) => (a as number) - (b as number)),
    numbers(100).filter((data) => data !== deadly),
  )
  assert.deepEqual(
    entries.map((entry) => [entry.id, entry.reason, entry.attempts]),
    [[`order-${deadly}`, 'deliveries-exhausted', 0]],
  )
  if (order === 'key') {
    for (const customer of numbers(7)) {
      const ofCustomer = [...handled].filter((data) => (data as number) % 7 === customer)
      assert.deepEqual(
        ofCustomer,
        ofCustomer.toSorted((a, b) => (a as number) - (b as number)),
      )
    }
  }
  assert.ok(poisoned >= 3 && poisoned <= maxDeliveries, `it killed ${poisoned} processes`)
  assert.ok(suspects > 0, 'it was told that there is a suspect')
}

export const crashes: Area = {
  title: 'Crashes',
  behaviours: [
    {
      id: '86',
      sentence:
        'Given one message that kills its process, in a window of 100, then only that one is dead-lettered',
      needs: { features: ['deliveryCount'], faults: ['kill'] },
      run: (bench) => poison(bench, 'none'),
    },
    {
      id: '86b',
      sentence:
        'Given the same with order by key, then only that one is dead-lettered, and each key is in order',
      needs: { features: ['deliveryCount', 'keyOrder', 'holdKey'], faults: ['kill'] },
      run: (bench) => poison(bench, 'key'),
    },
    {
      id: '87',
      sentence:
        'Given a crash after the dead letter or the retry was settled, then what was settled stays settled',
      needs: { faults: ['kill'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        await transport.consume(
          queue,
          ({ data }, context) => {
            if (data === 'dead') return context.deadLetter({ reason: 'no' })
            if (data === 'retried') throw new Error('again')
            return 'done'
          },
          // Longer than it may take until its process is killed.
          { retryDelay: fixed(5_000) },
        )
        await transport.sendMany(
          queue,
          ['acked', 'dead', 'retried'].map((data) => ({ data })),
        )
        await bench.deadLetters(transport, queue, 1)
        await bench.until('the retry is told', () => events.of('retried').length > 0)
        await bench.delayed(transport, queue)
        await bench.advance(500)
        await bench.faults.kill(transport)
        const other = await bench.open()
        const seen = bench.record()
        await other.consume(queue, seen.handler())
        await bench.until('the retried one comes', () => seen.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(
          seen.calls.map((call) => `${String(call.data)} ${call.attempt}`),
          ['retried 2'],
        )
        assert.equal(await other.deadLetters(queue).count(), 1)
      },
    },
  ],
}
