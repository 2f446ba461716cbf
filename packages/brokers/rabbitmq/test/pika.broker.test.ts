import { tryFindPika } from '@posthorn/test-brokers'
import { fixed } from '@posthorn/transport'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { runPika, startPika } from './run-pika.ts'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'
import type { RabbitmqOptions } from '@posthorn/rabbitmq'

// Their programs are those of the usual tutorials, and know nothing of us.
describe(`programs in Python on RabbitMQ ${version}`, () => {
  let python = ''
  const bench = withRabbitmq(async () => {
    const { server: found, reason } = await tryFindPika()
    if (reason !== undefined) return { reason }
    python = found
    return {}
  })

  const tasks = 'tasks'
  const url = (): string => `${bench.server.url}/%2F`
  const newTasks = (first: number, count: number): ReturnType<typeof runPika> =>
    runPika(python, 'new_task.py', [url(), String(first), String(count)])
  const numbers = (count: number): unknown[] => Array.from({ length: count }, (_, number) => ({ number }))
  const fails = (data: unknown, attempt: number): boolean =>
    attempt === 1 && (data as { readonly number: number }).number % 2 === 0

  beforeEach(async () => {
    await bench.channel.deleteQueue(tasks)
    await bench.channel.deleteQueue(`${tasks}.dlq`)
  })

  const ways: readonly (readonly [string, Partial<RabbitmqOptions>])[] = [
    ['used as they declare it', { topology: 'check' }],
    ['made as they would declare it', { queueType: 'classic' }],
  ]

  describe.each(ways)('on a queue that is %s', (_way, options) => {
    beforeEach(async () => {
      if (options.topology !== 'check') return
      await newTasks(0, 0)
      // Theirs has none; what finally fails needs a place.
      const transport = await bench.open(options)
      await transport.declare({ queues: [{ name: `${tasks}.dlq` }] }, { mode: 'create' })
    })

    test('what they send is handled, retried and dead-lettered here', async () => {
      const transport = await bench.open(options)
      const handled: unknown[] = []
      const consumer = (): ReturnType<typeof transport.consume> =>
        transport.consume(
          tasks,
          ({ data }, { attempt }) => {
            if (fails(data, attempt)) throw new Error('again')
            handled.push(data)
          },
          { retryDelay: fixed(40) },
        )
      await consumer()
      expect(await newTasks(0, 20)).toEqual({ ok: true, output: '' })
      await vi.waitFor(() => expect(handled).toHaveLength(20), patience)
      expect(handled).toEqual(expect.arrayContaining(numbers(20)))
      expect(await transport.depth(tasks)).toMatchObject({ ready: 0, deadLettered: 0 })
    })

    test('what fails for good is dead-lettered, and given back by a replay', async () => {
      const transport = await bench.open(options)
      const consumer = await transport.consume(tasks, (_, context) => context.deadLetter({ reason: 'no' }))
      await newTasks(7, 1)
      const letters = transport.deadLetters(tasks)
      await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
      await consumer.stop()
      const { entries } = await letters.page()
      expect(entries.map(({ body, reason }) => [Buffer.from(body).toString(), reason])).toEqual([
        ['{"number": 7}', 'no'],
      ])
      await letters.replay('all')
      const worker = startPika(python, 'worker.py', [url()])
      await vi.waitFor(() => expect(worker.lines).toEqual(['{"number": 7}']), patience)
      await worker.stop()
    })

    test('what is sent here is handled by their worker', async () => {
      const transport = await bench.open(options)
      const worker = startPika(python, 'worker.py', [url()])
      const messages = [...numbers(19).map((data) => ({ data })), { data: { number: 19 }, delayMs: 50 }]
      await transport.sendMany(tasks, messages)
      await vi.waitFor(() => expect(worker.lines).toHaveLength(20), patience)
      expect(worker.lines.map((line) => JSON.parse(line) as unknown)).toEqual(numbers(20))
      await worker.stop()
      expect(await transport.depth(tasks)).toMatchObject({ ready: 0 })
    })

    test('both share the work', async () => {
      const transport = await bench.open(options)
      const here: unknown[] = []
      await transport.declare({ queues: [{ name: tasks }] })
      const worker = startPika(python, 'worker.py', [url()])
      await vi.waitFor(
        async () => expect((await bench.channel.checkQueue(tasks)).consumerCount).toBe(1),
        patience,
      )
      await transport.consume(tasks, ({ data }) => void here.push(data), { concurrency: 1 })
      await Promise.all([
        newTasks(0, 20),
        transport.sendMany(
          tasks,
          numbers(40)
            .slice(20)
            .map((data) => ({ data })),
        ),
      ])
      const all = (): unknown[] => [...here, ...worker.lines.map((line) => JSON.parse(line) as unknown)]
      await vi.waitFor(() => expect(all()).toHaveLength(40), patience)
      expect(all()).toEqual(expect.arrayContaining(numbers(40)))
      expect(worker.lines).not.toHaveLength(0)
      await worker.stop()
    })
  })

  describe('on a quorum queue of ours', () => {
    test('they cannot declare it: they get a 406 that names the argument, and what is in it stays', async () => {
      const transport = await bench.open()
      await transport.send(tasks, { data: { number: 1 } })
      for (const program of ['new_task.py', 'worker.py']) {
        const { ok, output } = await runPika(python, program, [url(), '0', '1'])
        expect(ok).toBe(false)
        expect(output).toMatch(
          /ChannelClosedByBroker.*406.*PRECONDITION_FAILED.*x-[a-z-]+' for queue 'tasks'/,
        )
      }
      expect(await transport.depth(tasks)).toMatchObject({ ready: 1 })
    })

    test('they can use it when they do not declare it', async () => {
      const transport = await bench.open()
      const handled: unknown[] = []
      await transport.consume(tasks, ({ data }) => void handled.push(data))
      expect(await runPika(python, 'new_task_undeclared.py', [url()])).toEqual({ ok: true, output: '' })
      await vi.waitFor(() => expect(handled).toEqual([{ number: 1 }]), patience)
    })
  })

  test('a queue of theirs is not taken for one of ours, and the error says what to do', async () => {
    await newTasks(0, 1)
    const transport = await bench.open()
    const sent = transport.send(tasks, { data: 1 })
    await expect(sent).rejects.toMatchObject({ code: 'POSTHORN_TOPOLOGY_MISMATCH' })
    await expect(sent).rejects.toThrow(/x-queue-type.*topology: "check".*queueType: "classic"/)
  })

  test('headers that no other client could write are trimmed in the dead letter, and the body is not', async () => {
    const transport = await bench.open({ queueType: 'classic' })
    await transport.consume(
      tasks,
      () => {
        throw new Error('no')
      },
      { retryDelay: fixed(40), maxAttempts: 2 },
    )
    expect(await runPika(python, 'new_task_large_headers.py', [url()])).toEqual({ ok: true, output: '' })
    const letters = transport.deadLetters(tasks)
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
    const { entries } = await letters.page()
    expect(
      entries.map(({ body, headers, attempts }) => [Buffer.from(body).toString(), { ...headers }, attempts]),
    ).toEqual([
      ['{"number": 1}', { tenant: 'a', large: '(left out: 100000 bytes, which do not fit into a copy)' }, 2],
    ])
    expect(await transport.depth(tasks)).toMatchObject({ ready: 0 })
  })
})
