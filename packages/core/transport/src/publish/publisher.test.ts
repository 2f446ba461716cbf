import { beforeEach, describe, expect, test } from 'vitest'
import { connectFailed, connectionLost, fakeCapabilities, never } from '../../test/fake-driver.ts'
import { bills, events, orders, PublisherBench } from '../../test/publisher-bench.ts'
import { PosthornError } from '../errors.ts'

let bench: PublisherBench

beforeEach(() => {
  bench = new PublisherBench()
})

const refused = new PosthornError('POSTHORN_QUEUE_FULL', 'It is full.', {
  phase: 'publish',
  outcome: 'rejected',
})
const unroutable = new PosthornError('POSTHORN_UNROUTABLE', 'No queue.', {
  phase: 'publish',
  outcome: 'rejected',
})
const denied = new PosthornError('POSTHORN_ACCESS_DENIED', 'You may not.', { phase: 'declare' })
const busy = new PosthornError('POSTHORN_BROKER_ERROR', 'No leader.', { phase: 'declare', retryable: true })
const closed = new PosthornError('POSTHORN_CLOSED', 'It is closed.', { phase: 'connect' })

describe('sends of one turn', () => {
  test('travel together, a batch for each destination, in their order', async () => {
    for (const destination of [orders, bills, orders, events, orders]) bench.send(destination)
    expect(bench.calls).toEqual([])
    await bench.turn()
    expect(bench.batches).toEqual([['m0', 'm2', 'm4'], ['m1'], ['m3']])
    expect(bench.calls.map(({ destination }) => destination)).toEqual([orders, bills, events])
  })

  test('are split where the broker takes no more in one call', async () => {
    const { features, lease, limits } = fakeCapabilities()
    bench.connect().capabilities = { features, lease, limits: { ...limits, maxBatch: 3, maxBatchBytes: 100 } }
    for (const bytes of [10, 10, 10, 10, 80, 20, 500, 1]) bench.send(orders, { bytes })
    await bench.turn()
    expect(bench.batches).toEqual([['m0', 'm1', 'm2'], ['m3', 'm4'], ['m5'], ['m6'], ['m7']])
  })

  test('give the driver the time of the last of them', async () => {
    const now = bench.clock.now()
    for (const timeoutMs of [500, 9_000, 70]) bench.send(orders, { timeoutMs })
    await bench.turn()
    expect(bench.calls[0]?.deadline).toBe(now + 9_000)
  })

  test('are answered each as the broker answers', async () => {
    for (let count = 0; count < 3; count++) bench.send(orders)
    await bench.turn()
    const unclear = new PosthornError('POSTHORN_TIMEOUT', 'No confirm.', { outcome: 'unknown' })
    bench.calls[0]?.answer(['confirmed', refused, unclear])
    await bench.turn()
    expect(bench.sent.map(({ outcome }) => outcome)).toEqual(['confirmed', refused, unclear])
    expect(bench.publisher.inFlight).toBe(0)
  })
})

describe('a driver that answers', () => {
  const one = async (answer: (call: PublisherBench['calls'][number]) => void): Promise<PosthornError> => {
    const sent = bench.send(orders)
    await bench.turn()
    answer(bench.calls.at(-1)!)
    await bench.turn()
    expect(bench.publisher.inFlight).toBe(0)
    expect(sent.answers).toBe(1)
    return sent.outcome as PosthornError
  }

  test('an error without an outcome leaves it unknown', async () => {
    const error = await one((call) => call.answer([new PosthornError('POSTHORN_BROKER_ERROR', 'Hm.')]))
    expect(error).toMatchObject({ code: 'POSTHORN_BROKER_ERROR', outcome: 'unknown' })
  })

  test.each([
    ['too few', []],
    ['nothing', undefined],
    ['something else', ['done']],
    ['a client error', [new Error('amqp://me:hunter2@broker')]],
  ])('%s leaves it unknown', async (_what, outcomes) => {
    const error = await one((call) => call.answer(outcomes as never))
    expect(error).toMatchObject({ code: 'POSTHORN_DEFECT', outcome: 'unknown', retryable: true })
    expect(error.message).toContain('What became of a message to "orders" is not known')
    expect(String((error.cause as Error | undefined)?.stack)).not.toContain('hunter2')
  })

  test('with a rejection as a whole leaves all unknown', async () => {
    const [first, second] = [bench.send(orders), bench.send(orders)]
    await bench.turn()
    bench.calls[0]?.reject(unroutable)
    await bench.turn()
    for (const { outcome } of [first, second])
      expect(outcome).toMatchObject({ code: 'POSTHORN_UNROUTABLE', outcome: 'unknown' })
    expect(bench.returned).toEqual([])
  })

  test('with a rejection that is no error leaves it unknown', async () => {
    expect(await one((call) => call.reject(undefined))).toMatchObject({
      code: 'POSTHORN_DEFECT',
      outcome: 'unknown',
    })
  })

  test('by throwing leaves it unknown', async () => {
    bench.connection!.publish = () => {
      throw new Error('it broke')
    }
    const sent = bench.send(orders)
    await bench.turn()
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_DEFECT', outcome: 'unknown' })
    expect(bench.publisher.inFlight).toBe(0)
  })
})

describe('time', () => {
  test('that runs out before a message is written rejects it, and it is not written later', async () => {
    bench.connection = undefined
    bench.reason = ', because there is no connection to fake (Nobody listens.)'
    const sent = bench.send(orders, { timeoutMs: 1_000 })
    await bench.clock.advance(999)
    expect(sent.outcome).toBeUndefined()
    await bench.clock.advance(1)
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'rejected', retryable: true })
    expect((sent.outcome as PosthornError).message).toBe(
      'Sending to "orders" ran out of time before it was written, because there is no connection to fake (Nobody listens.); it is not there.',
    )
    bench.connect()
    bench.publisher.wake()
    await bench.turn()
    expect(bench.calls).toEqual([])
    expect(bench.publisher.inFlight).toBe(0)
  })

  test('that runs out afterwards leaves it unknown, and in flight until the driver answers', async () => {
    const sent = bench.send(orders, { timeoutMs: 1_000 })
    await bench.clock.advance(1_000)
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'unknown', retryable: true })
    expect((sent.outcome as PosthornError).message).toContain('send it again with the same id (m0)')
    expect(bench.publisher.inFlight).toBe(1)
    bench.calls[0]?.answer(['confirmed'])
    await bench.turn()
    expect(bench.publisher.inFlight).toBe(0)
    expect(sent.answers).toBe(1)
  })

  test('runs out for each send by itself, whatever the order of their calls', async () => {
    const times = [3_000, 500, 9_000, 500, 2_000]
    const sent = times.map((timeoutMs) => bench.send(orders, { timeoutMs }))
    const endedAt = new Map<number, number>()
    for (let at = 0; at <= 9_000; at += 500) {
      for (const [index, { outcome }] of sent.entries())
        if (outcome !== undefined && !endedAt.has(index)) endedAt.set(index, at)
      await bench.clock.advance(500)
    }
    expect(times.map((_, index) => endedAt.get(index))).toEqual(times)
  })

  test('runs out while a send waits for room', async () => {
    bench = new PublisherBench({ maxInFlight: 1 })
    bench.send(orders)
    const waiting = bench.send(orders, { timeoutMs: 100 })
    await bench.clock.advance(100)
    expect(waiting.outcome).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'rejected' })
    expect(bench.publisher.inFlight).toBe(1)
  })

  test('runs out while the destination is declared, which may hang for ever', async () => {
    bench.ensure = () => never()
    const sent = bench.send(orders, { timeoutMs: 100 })
    await bench.clock.advance(100)
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'rejected' })
    expect(bench.publisher.inFlight).toBe(0)
  })

  test('that is long is waited for', async () => {
    bench.connection = undefined
    const sent = bench.send(orders, { timeoutMs: 40 * 86_400_000 })
    await bench.clock.advance(40 * 86_400_000 - 1)
    expect(sent.outcome).toBeUndefined()
    await bench.clock.advance(1)
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_TIMEOUT' })
  })
})

describe('a signal', () => {
  test('that is aborted already rejects the send, and nothing is written', async () => {
    const sent = bench.send(orders, { signal: AbortSignal.abort(new Error('never mind')) })
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_ABORTED', outcome: 'rejected', retryable: false })
    expect((sent.outcome as PosthornError).cause).toEqual(new Error('never mind'))
    await bench.turn()
    expect(bench.calls).toEqual([])
    expect(bench.publisher.inFlight).toBe(0)
  })

  test('that aborts before the message is written rejects it, and nothing is written', async () => {
    const abort = new AbortController()
    const sent = bench.send(orders, { signal: abort.signal })
    bench.send(orders)
    abort.abort()
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_ABORTED', outcome: 'rejected' })
    await bench.turn()
    expect(bench.batches).toEqual([['m1']])
    expect(bench.publisher.inFlight).toBe(1)
  })

  test('that aborts afterwards leaves it unknown', async () => {
    const abort = new AbortController()
    const sent = bench.send(orders, { signal: abort.signal })
    await bench.turn()
    abort.abort()
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_ABORTED', outcome: 'unknown' })
    bench.calls[0]?.answer(['confirmed'])
    await bench.turn()
    expect(sent.answers).toBe(1)
  })

  test('that aborts while a send waits for room frees what it waited with', async () => {
    bench = new PublisherBench({ maxInFlight: 1 })
    bench.send(orders)
    const abort = new AbortController()
    bench.send(orders, { signal: abort.signal })
    expect(bench.send(orders).outcome).toMatchObject({ code: 'POSTHORN_BACKPRESSURE' })
    abort.abort()
    await bench.turn()
    expect(bench.send(orders).outcome).toBeUndefined()
  })

  test('is not listened to once the send has ended, however it ended', async () => {
    const listeners = new Set<unknown>()
    const abort = new AbortController()
    const { signal } = abort
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (type: string, listener: never, options: never) => {
      listeners.add(listener)
      add(type as 'abort', listener, options)
    }
    signal.removeEventListener = (type: string, listener: never) => {
      listeners.delete(listener)
      remove(type as 'abort', listener)
    }
    bench.send(orders, { signal })
    await bench.turn()
    bench.send(bills, { signal, timeoutMs: 50 })
    expect(listeners.size).toBe(1)
    bench.calls[0]?.answer(['confirmed'])
    await bench.clock.advance(50)
    expect(listeners.size).toBe(0)
  })

  test('for thousands of sends ends them all', async () => {
    bench.connection = undefined
    const abort = new AbortController()
    for (let count = 0; count < 10_000; count++) bench.send(orders, { signal: abort.signal })
    abort.abort()
    await bench.turn()
    expect(bench.sent.filter(({ answers }) => answers === 1)).toHaveLength(10_000)
    expect(bench.publisher.inFlight).toBe(0)
  })
})

describe('past the bound', () => {
  test('sends wait in their order, and go when others have been answered', async () => {
    bench = new PublisherBench({ maxInFlight: 2 })
    for (let count = 0; count < 4; count++) bench.send(count % 2 === 0 ? orders : bills)
    await bench.turn()
    expect(bench.batches).toEqual([['m0'], ['m1']])
    bench.calls[1]?.answer(['confirmed'])
    await bench.turn()
    expect(bench.batches.at(-1)).toEqual(['m2'])
    bench.calls[0]?.answer([refused])
    await bench.turn()
    expect(bench.batches.at(-1)).toEqual(['m3'])
  })

  test('sends are refused where as many wait already, and where none may wait', () => {
    for (const [whenFull, taken] of [
      ['wait', 4],
      ['reject', 2],
    ] as const) {
      bench = new PublisherBench({ maxInFlight: 2, whenFull })
      for (let count = 0; count < 6; count++) bench.send(orders, { bytes: 7 })
      const ends = bench.sent.map(({ outcome }) => (outcome as PosthornError | undefined)?.code)
      expect(ends.filter((code) => code === undefined)).toHaveLength(taken)
      const last = bench.sent[5]!.outcome as PosthornError
      expect(last).toMatchObject({ code: 'POSTHORN_BACKPRESSURE', outcome: 'rejected', retryable: true })
      expect(last.message).toContain('2 messages (14 bytes) are in flight to fake')
    }
  })
})

describe('a connection', () => {
  test('that is lost leaves unknown what it was given, says so, and keeps what it was not', async () => {
    const given = bench.send(orders)
    await bench.turn()
    const kept = bench.send(orders)
    bench.lose(connectionLost())
    await bench.turn()
    expect(given.outcome).toMatchObject({
      code: 'POSTHORN_CONNECTION_LOST',
      outcome: 'unknown',
      retryable: true,
    })
    expect((given.outcome as PosthornError).message).toBe(
      'The connection to fake was lost before it answered: The socket is gone. The message may be there: send it again with the same id (m0).',
    )
    bench.connect()
    bench.publisher.wake()
    await bench.turn()
    expect(bench.batches).toEqual([['m1']])
    expect(kept.outcome).toBeUndefined()
  })

  test('whose driver knows what was never written is believed, when it says so with the loss', async () => {
    const [written, unwritten] = [bench.send(orders), bench.send(bills)]
    await bench.turn()
    const { calls } = bench
    const never = new PosthornError('POSTHORN_CONNECTION_LOST', 'Not written.', {
      outcome: 'rejected',
      retryable: true,
    })
    calls[1]?.answer([never])
    bench.lose(connectionLost())
    await bench.turn()
    expect(written.outcome).toMatchObject({ outcome: 'unknown' })
    expect(unwritten.outcome).toBe(never)
    calls[0]?.answer(['confirmed'])
    await bench.turn()
    expect(written.answers).toBe(1)
  })

  test('that is not there is waited for by every line', async () => {
    bench.connection = undefined
    for (const destination of [orders, bills, events]) bench.send(destination)
    await bench.clock.advance(5_000)
    bench.connect()
    bench.publisher.wake()
    await bench.turn()
    expect(bench.batches).toEqual([['m0'], ['m1'], ['m2']])
  })

  test('that leaves a batch without an answer long after its deadline is reported, and once is not enough', async () => {
    bench.send(orders, { timeoutMs: 1_000 })
    await bench.clock.advance(1_000)
    await bench.clock.advance(10_000)
    expect(bench.unresponsive).toEqual([])
    await bench.clock.advance(10_000)
    expect(bench.unresponsive).toMatchObject([{ code: 'POSTHORN_TIMEOUT', retryable: true }])
    bench.lose(bench.unresponsive[0]!)
    await bench.clock.advance(60_000)
    expect(bench.publisher.inFlight).toBe(0)
    expect(bench.unresponsive).toHaveLength(1)
  })

  test('that answers a little after the deadline is not reported', async () => {
    bench.send(orders, { timeoutMs: 1_000 })
    await bench.clock.advance(12_000)
    bench.calls[0]?.answer([refused])
    await bench.clock.advance(60_000)
    expect(bench.unresponsive).toEqual([])
  })
})

describe('a destination', () => {
  test('is declared before what is sent to it, which then goes in its order', async () => {
    let done = (): void => {}
    bench.ensure = ({ name }) => (name === 'orders' ? new Promise((resolve) => (done = resolve)) : undefined)
    bench.send(orders)
    bench.send(bills)
    await bench.turn()
    bench.send(orders)
    await bench.turn()
    expect(bench.batches).toEqual([['m1']])
    bench.ensure = () => undefined
    done()
    await bench.turn()
    expect(bench.batches).toEqual([['m1'], ['m0', 'm2']])
  })

  test('that cannot be declared rejects what waits for it, and only that', async () => {
    bench.ensure = ({ name }) => (name === 'orders' ? Promise.reject(denied) : undefined)
    const [bad, good] = [bench.send(orders), bench.send(bills)]
    await bench.turn()
    expect(bad.outcome).toMatchObject({
      code: 'POSTHORN_ACCESS_DENIED',
      outcome: 'rejected',
      phase: 'declare',
    })
    expect(good.outcome).toBeUndefined()
    expect(bench.publisher.inFlight).toBe(1)
  })

  test('that cannot be declared for now is tried again with growing waits, not with every send', async () => {
    const triedAt: number[] = []
    bench.ensure = () => {
      triedAt.push(bench.clock.now())
      return Promise.reject(busy)
    }
    const first = bench.send(orders, { timeoutMs: 10_000 })
    for (let count = 0; count < 1_000; count++) {
      await bench.clock.advance(10)
      bench.send(orders, { timeoutMs: 10_000 })
    }
    expect(triedAt.length).toBeGreaterThan(4)
    expect(triedAt.length).toBeLessThan(30)
    expect(first.outcome).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'rejected' })
    expect((first.outcome as PosthornError).message).toContain(
      'because it could not be declared (No leader.)',
    )
    bench.ensure = () => undefined
    await bench.clock.advance(5_000)
    const written = bench.batches.flat()
    expect(written.length).toBeGreaterThan(500)
    expect(written).toEqual(bench.sent.slice(-written.length).map(({ id }) => id))
  })

  test('whose declaration waits for its next try is tried at once on a new connection', async () => {
    bench.ensure = () => Promise.reject(busy)
    bench.send(orders)
    await bench.turn()
    bench.ensure = () => undefined
    bench.publisher.wake()
    await bench.turn()
    expect(bench.batches).toEqual([['m0']])
  })

  test('that is no more leaves neither timers nor lines behind', async () => {
    bench.ensure = () => Promise.reject(busy)
    for (let count = 0; count < 100; count++)
      bench.send({ kind: 'queue', name: `q${count}`, shards: 1 }, { timeoutMs: 500 })
    await bench.clock.advance(60_000)
    expect(bench.sent.every(({ answers }) => answers === 1)).toBe(true)
    expect(bench.clock.pending).toBe(0)
    expect(bench.publisher.inFlight).toBe(0)
  })
})

describe('a queue that turned out to be gone', () => {
  beforeEach(() => {
    bench.forget = () => true
  })

  test('is declared again, and every message of the batch sent once more, ahead of later ones', async () => {
    for (let count = 0; count < 3; count++) bench.send(orders)
    await bench.turn()
    bench.send(orders)
    bench.calls[0]?.answer([unroutable, unroutable, unroutable])
    await bench.turn()
    expect(bench.batches.slice(1).flat()).toEqual(['m0', 'm1', 'm2', 'm3'])
  })

  test('keeps the order of what was refused and what waits behind its declaration', async () => {
    let done = (): void => {}
    bench.send(orders)
    bench.send(orders)
    await bench.turn()
    bench.ensure = () => new Promise((resolve) => (done = resolve))
    bench.calls[0]?.answer([unroutable, unroutable])
    await bench.turn()
    bench.send(orders)
    await bench.turn()
    expect(bench.batches).toHaveLength(1)
    bench.ensure = () => undefined
    done()
    await bench.turn()
    expect(bench.batches[1]).toEqual(['m0', 'm1', 'm2'])
  })

  test('gets each message once more only', async () => {
    const sent = bench.send(orders)
    await bench.turn()
    bench.calls[0]?.answer([unroutable])
    await bench.turn()
    bench.calls[1]?.answer([unroutable])
    await bench.turn()
    expect(sent.outcome).toBe(unroutable)
    expect(bench.returned).toEqual([{ destination: 'orders', id: 'm0', type: 'order.created' }])
    expect(bench.calls).toHaveLength(2)
  })

  test('does not get what was given up meanwhile', async () => {
    const sent = bench.send(orders, { timeoutMs: 100 })
    await bench.clock.advance(100)
    bench.calls[0]?.answer([unroutable])
    await bench.turn()
    expect(bench.calls).toHaveLength(1)
    expect(sent).toMatchObject({ answers: 1, outcome: { outcome: 'unknown' } })
    expect(bench.publisher.inFlight).toBe(0)
  })

  test('does not get again what may be there', async () => {
    const sent = bench.send(orders)
    await bench.turn()
    const maybe = new PosthornError('POSTHORN_UNROUTABLE', 'Some groups.', { outcome: 'unknown' })
    bench.calls[0]?.answer([maybe])
    await bench.turn()
    expect(sent.outcome).toBe(maybe)
    expect(bench.calls).toHaveLength(1)
  })

  test('keeps what is to be sent once more through the loss of its connection', async () => {
    const sent = bench.send(orders)
    await bench.turn()
    bench.ensure = () => never()
    bench.calls[0]?.answer([unroutable])
    await bench.turn()
    bench.lose(connectionLost())
    await bench.turn()
    expect(sent.outcome).toBeUndefined()
    await bench.clock.advance(30_000)
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_TIMEOUT', outcome: 'rejected' })
  })

  test('is told to the caller where it may not be made', async () => {
    bench.forget = () => false
    const missing = new PosthornError('POSTHORN_TOPOLOGY_MISSING', 'No topic.', { outcome: 'rejected' })
    const [queue, topic] = [bench.send(orders), bench.send(events)]
    await bench.turn()
    bench.calls[0]?.answer([unroutable])
    bench.calls[1]?.answer([missing])
    await bench.turn()
    expect([queue.outcome, topic.outcome]).toEqual([unroutable, missing])
    expect(bench.returned).toHaveLength(1)
  })
})

describe('the end', () => {
  test('is waited for while sends have no answer', async () => {
    bench.send(orders)
    await bench.turn()
    let left: number | undefined
    void bench.publisher.drain(5_000).then((count) => (left = count))
    await bench.clock.advance(1_000)
    expect(left).toBeUndefined()
    bench.calls[0]?.answer(['confirmed'])
    await bench.turn()
    expect(left).toBe(0)
  })

  test('is not waited for beyond the deadline', async () => {
    bench.send(orders)
    bench.connection = undefined
    bench.send(bills)
    let left: number | undefined
    void bench.publisher.drain(5_000).then((count) => (left = count))
    await bench.clock.advance(5_000)
    expect(left).toBe(2)
  })

  test('is not waited for where only the driver owes answers that nobody waits for', async () => {
    bench.send(orders, { timeoutMs: 100 })
    await bench.clock.advance(100)
    expect(bench.publisher.inFlight).toBe(1)
    expect(await bench.publisher.drain(5_000)).toBe(0)
  })

  test('rejects what has not been written, and leaves unknown what has', async () => {
    bench = new PublisherBench({ maxInFlight: 2 })
    const written = bench.send(orders)
    await bench.turn()
    bench.connection = undefined
    const [queued, waiting] = [bench.send(orders), bench.send(bills)]
    bench.publisher.fail(closed)
    expect(written.outcome).toMatchObject({ code: 'POSTHORN_CLOSED', outcome: 'unknown' })
    for (const { outcome } of [queued, waiting])
      expect(outcome).toMatchObject({ code: 'POSTHORN_CLOSED', outcome: 'rejected' })
    expect(bench.publisher.inFlight).toBe(0)
  })

  test('for good says why', () => {
    bench.connection = undefined
    const sent = bench.send(orders)
    bench.publisher.fail(connectFailed('The password was changed.', false))
    expect(sent.outcome).toMatchObject({ code: 'POSTHORN_ACCESS_DENIED', outcome: 'rejected' })
  })

  test('leaves no timer, whatever was under way', async () => {
    bench.send(orders)
    await bench.turn()
    bench.ensure = () => Promise.reject(busy)
    bench.send(bills)
    await bench.turn()
    bench.publisher.fail(closed)
    bench.publisher.stop()
    await bench.turn()
    expect(bench.clock.pending).toBe(0)
    expect(bench.sent.map(({ answers }) => answers)).toEqual([1, 1])
  })
})
