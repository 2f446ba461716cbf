import assert from 'node:assert/strict'
import { isPosthornError } from '@posthorn/transport'
import { rejection } from '../bench/errors.ts'
import type { Area } from '../behaviour.ts'

export const ephemeral: Area = {
  title: 'Ephemeral subscriptions and inboxes',
  behaviours: [
    {
      id: '58',
      sentence:
        'Given an ephemeral subscription, then it is at most once: what fails or is published while it is away is gone',
      needs: { features: ['ephemeral'] },
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        await transport.publish(topic, { data: 'before' })
        const consumer = await transport.subscribe(
          topic,
          seen.handler(({ data }) => {
            if (data === 'bad') throw new Error('never again')
          }),
          { ephemeral: true },
        )
        // Of one key, since others have no order where a topic is split into parts.
        await transport.publish(topic, { data: 'bad', id: 'event-1', key: 'order-1' })
        await transport.publish(topic, { data: 'good', key: 'order-1' })
        await bench.until('both arrive', () => seen.calls.length >= 2)
        await bench.quiet()
        await consumer.stop()
        await transport.publish(topic, { data: 'away' })
        await transport.subscribe(topic, seen.handler(), { ephemeral: true })
        await transport.publish(topic, { data: 'back' })
        await bench.until('the last one arrives', () => seen.of('back').length > 0)
        await bench.quiet()
        assert.deepEqual(seen.data, ['bad', 'good', 'back'])
        assert.deepEqual(
          events.of('handlerFailed').map(({ id }) => id),
          ['event-1'],
        )
      },
    },
    {
      id: '58b',
      sentence:
        'Given an ephemeral subscription whose connection is cut, then it is back by itself, and what came meanwhile is gone',
      needs: { features: ['ephemeral'], faults: ['cut', 'refuse'] },
      async run(bench) {
        const topic = bench.name('events')
        const transport = await bench.open()
        const publisher = await bench.open()
        const seen = bench.record()
        await transport.subscribe(topic, seen.handler(), { ephemeral: true })
        await publisher.publish(topic, { data: 'first' })
        await bench.until('the first arrives', () => seen.calls.length > 0)
        await bench.faults.refuse(true)
        await bench.faults.cut(transport)
        await bench.until('the loss is known', () => transport.health().state !== 'up')
        // Its queue may be on its way out, and refuse: others could have the message.
        await publisher.publish(topic, { data: 'meanwhile' }).catch((error: unknown) => {
          if (!isPosthornError(error) || error.outcome !== 'unknown') throw error
        })
        await bench.faults.refuse(false)
        await bench.until('it is back', () => transport.health().state === 'up')
        await publisher.publish(topic, { data: 'after' })
        await bench.until('what comes then arrives', () => seen.of('after').length > 0)
        await bench.quiet()
        assert.deepEqual(seen.data, ['first', 'after'])
      },
    },
    {
      id: '59',
      sentence:
        'Given an inbox, then whoever has its address can send to it, and after it is closed nobody can',
      needs: { features: ['inbox'] },
      async run(bench) {
        const transport = await bench.open()
        const other = await bench.open()
        const seen = bench.record()
        const record = seen.handler() as (message: unknown, context: unknown) => unknown
        const inbox = await transport.inbox((message) => record(message, {}))
        const second = await transport.inbox(() => undefined)
        assert.notEqual(inbox.address, second.address)
        await other.send(inbox.address, { data: 'answer', correlationId: 'request-1' })
        await bench.until('it arrives', () => seen.calls.length > 0)
        assert.equal(seen.calls[0]?.message.correlationId, 'request-1')
        await inbox.close()
        await rejection('send', other.send(inbox.address, { data: 'late' }), {
          code: 'POSTHORN_UNROUTABLE',
          outcome: 'rejected',
        })
        await bench.quiet()
        assert.deepEqual(seen.data, ['answer'])
      },
    },
    {
      id: '59b',
      sentence:
        'Given an inbox whose connection is cut, then `onLost` is called once and it has another address',
      needs: { features: ['inbox'], faults: ['cut'] },
      async run(bench) {
        const transport = await bench.open()
        const other = await bench.open()
        const seen = bench.record()
        const record = seen.handler() as (message: unknown, context: unknown) => unknown
        const lost: string[] = []
        const inbox = await transport.inbox((message) => record(message, {}), {
          onLost: (error) => lost.push(error.code),
        })
        const before = inbox.address
        await bench.faults.cut(transport)
        await bench.until('the loss is told', () => lost.length > 0)
        await bench.until('it is back', () => transport.health().state === 'up' && inbox.address !== before)
        assert.equal(lost.length, 1)
        await rejection('send to the old address', other.send(before, { data: 'late' }), {
          code: 'POSTHORN_UNROUTABLE',
          outcome: 'rejected',
        })
        await other.send(inbox.address, { data: 'answer' })
        await bench.until('it arrives', () => seen.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(seen.data, ['answer'])
      },
    },
  ],
}
