import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, describe, test } from 'vitest'
import {
  behaviours,
  runBehaviour,
  type Behaviour,
  type FaultName,
  type TransportUnderTest,
} from '@posthorn/conformance'
import { summarise } from '../src/results/summarise.ts'
import { writeResults } from '../src/results/write-results.ts'
import { createMemoryHarness, memorySubject, type MemoryHarness } from './memory-harness.ts'

const behaviour = (run: Behaviour['run'], needs: Behaviour['needs'] = {}): Behaviour => ({
  id: '0',
  sentence: 'Given a test of the suite, then it runs',
  needs,
  run,
})

describe('a behaviour', () => {
  test('that waits for what never comes fails', async () => {
    const outcome = await runBehaviour(
      memorySubject('memory'),
      behaviour(() => new Promise(() => undefined)),
    )
    expect(outcome).toMatchObject({ result: 'failed', reason: expect.stringContaining('never comes') })
  })

  test('that waits in vain for a condition fails, saying for what', async () => {
    const outcome = await runBehaviour(
      memorySubject('memory'),
      behaviour((bench) => bench.until('a second moon', () => false)),
    )
    expect(outcome).toMatchObject({ result: 'failed', reason: 'Not within 600000 ms: a second moon.' })
  })

  test('that leaves a handler running ends all the same', async () => {
    const outcome = await runBehaviour(
      memorySubject('memory'),
      behaviour(async (bench) => {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(() => new Promise(() => undefined)),
        )
        await transport.send(queue, { data: 1 })
        await bench.until('the handler runs', () => seen.running === 1)
      }),
    )
    expect(outcome).toEqual({ result: 'shown' })
  })

  test('is not shown where the harness lacks a fault that it needs', async () => {
    const { kill: _, ...faults } = memorySubject('memory').faults ?? {}
    const outcome = await runBehaviour(
      { ...memorySubject('memory'), faults },
      behaviour(() => Promise.reject(new Error('it must not run')), { faults: ['kill'] }),
    )
    expect(outcome).toEqual({ result: 'not shown', reason: 'the harness offers no fault "kill"' })
  })

  test('is not shown with the reason that the harness gives', async () => {
    const outcome = await runBehaviour(
      memorySubject('memory'),
      behaviour((bench) => bench.faults.restart()),
    )
    expect(outcome).toEqual({
      result: 'not shown',
      reason: 'the contents of the in-memory broker end with its process',
    })
  })

  test('is refused where a feature is unsupported and asking for it fails as it should', async () => {
    const outcome = await runBehaviour(
      memorySubject('memory', () => ({ options: { priority: false } })),
      behaviour(() => Promise.reject(new Error('it must not run')), { features: ['priority'] }),
    )
    expect(outcome).toEqual({ result: 'refused', reason: '"priority" is unsupported' })
  })

  test('fails where a feature is declared unsupported and works all the same', async () => {
    const outcome = await runBehaviour(
      {
        ...memorySubject('memory'),
        async create() {
          const harness = createMemoryHarness()
          const open: typeof harness.open = async (options) => {
            const transport = await harness.open(options)
            const { capabilities } = transport
            const boundedQueues = { level: 'unsupported', alternative: 'another broker' } as const
            const features = { ...capabilities.features, boundedQueues }
            Object.defineProperty(transport, 'capabilities', { value: { ...capabilities, features } })
            return transport
          }
          return { ...harness, open }
        },
      },
      behaviour(() => Promise.resolve(), { features: ['boundedQueues'] }),
    )
    expect(outcome).toMatchObject({ result: 'failed', reason: expect.stringContaining('it resolved') })
  })

  test('is only declared where nobody can ask for the feature', async () => {
    const outcome = await runBehaviour(
      memorySubject('memory'),
      behaviour(() => Promise.resolve(), { features: ['durability'] }),
    )
    expect(outcome).toMatchObject({
      result: 'declared',
      reason: expect.stringContaining('"durability" is unsupported'),
    })
  })
})

test('what is delayed may be late by what the broker declares, and by a share of the delay', async () => {
  const subject: TransportUnderTest = {
    name: 'memory',
    async create() {
      const harness = createMemoryHarness()
      return {
        ...harness,
        async open(options) {
          const transport = await harness.open(options)
          const { capabilities } = transport
          const delayedSend = { level: 'native', limits: { latenessMs: 100, latenessShare: 0.25 } } as const
          const features = { ...capabilities.features, delayedSend }
          Object.defineProperty(transport, 'capabilities', { value: { ...capabilities, features } })
          return transport
        },
      }
    },
  }
  const found: number[] = []
  await runBehaviour(
    subject,
    behaviour(async (bench) => {
      await bench.open()
      found.push(bench.lateness('delayedSend', 4_000), bench.lateness('delayedRetry', 4_000))
    }),
  )
  expect(found).toEqual([1_100, 100])
})

describe('a fault that cannot happen on the broker', () => {
  const cannotHappen = 'an ack has no answer here'
  const never = (faults: NonNullable<Behaviour['needs']>): Behaviour =>
    behaviour(() => Promise.reject(new Error('it must not run')), faults)
  const without = (name: FaultName, reason: string): TransportUnderTest<MemoryHarness> => {
    const subject = memorySubject('memory')
    return { ...subject, faults: { ...subject.faults, [name]: { cannotHappen: reason } } }
  }

  test('leaves what needs it declared, with the reason', async () => {
    expect(
      await runBehaviour(
        without('failSettlements', cannotHappen),
        never({ faults: ['kill', 'failSettlements'] }),
      ),
    ).toEqual({ result: 'declared', reason: cannotHappen })
  })

  test('excuses nothing that needs other faults', async () => {
    expect(await runBehaviour(without('stall', cannotHappen), never({ faults: ['revoke'] }))).toMatchObject({
      result: 'failed',
      reason: 'it must not run',
    })
  })

  test.each(['kill', 'cut', 'rejectPublishes', 'endConsumers'] as const)(
    'is none of those that befall any broker: %s',
    async (name) => {
      expect(await runBehaviour(without(name, cannotHappen), never({ faults: [name] }))).toMatchObject({
        result: 'failed',
        reason: expect.stringContaining(`"${name}" cannot happen (an ack has no answer here), but it can`),
      })
    },
  )

  test('has a reason', async () => {
    expect(await runBehaviour(without('stall', ' '), never({ faults: ['stall'] }))).toMatchObject({
      result: 'failed',
      reason: `The fault "stall" is neither a function nor a text nor { cannotHappen: 'why' }.`,
    })
  })

  test('has to be named by the behaviour that needs it', async () => {
    const outcome = await runBehaviour(
      without('stall', cannotHappen),
      behaviour((bench) => bench.faults.stall('orders', true)),
    )
    expect(outcome).toMatchObject({ result: 'failed' })
  })

  test('fails what sees a settlement fail all the same', async () => {
    const harness = createMemoryHarness()
    const outcome = await runBehaviour(
      { ...without('failSettlements', cannotHappen), create: async () => harness },
      behaviour(async (bench) => {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        await transport.consume(queue, () => harness.broker.faults.failSettlements(1))
        await transport.send(queue, { data: 1 })
        await bench.until('the failure is told', () => events.of('settlementFailed').length > 0)
      }),
    )
    expect(outcome).toMatchObject({
      result: 'failed',
      reason: expect.stringContaining('"failSettlements" cannot happen, but an ack failed'),
    })
  })

  test('fails what sees a broker blocked all the same', async () => {
    const harness = createMemoryHarness()
    const outcome = await runBehaviour(
      { ...without('block', cannotHappen), create: async () => harness },
      behaviour(async (bench) => {
        const transport = await bench.open()
        harness.broker.faults.block('no memory')
        await bench.until('it is blocked', () => transport.health().state === 'blocked')
      }),
    )
    expect(outcome).toMatchObject({
      result: 'failed',
      reason: expect.stringContaining('"block" cannot happen, but'),
    })
  })

  test('fails what sees a source stall all the same', async () => {
    const harness = createMemoryHarness()
    const outcome = await runBehaviour(
      { ...without('stall', cannotHappen), create: async () => harness },
      behaviour(async (bench) => {
        const queue = bench.name('orders')
        const transport = await bench.open({ stallMs: 1_000 })
        const events = bench.events(transport)
        await transport.consume(queue, () => undefined)
        harness.broker.faults.stall(queue, true)
        await transport.send(queue, { data: 1 })
        await bench.until('the stall is told', () => events.of('stalled').length > 0)
      }),
    )
    expect(outcome).toMatchObject({
      result: 'failed',
      reason: expect.stringContaining('"stall" cannot happen, but'),
    })
  })
})

test('behaviours have ids of their own, and hold the forty of the universal contract', () => {
  const ids = behaviours.map((one) => one.id)
  expect(new Set(ids).size).toBe(ids.length)
  for (let number = 1; number <= 40; number += 1) expect(ids).toContain(String(number))
  for (const { sentence } of behaviours) expect(sentence).toMatch(/^Given .+, then .+/)
})

test('results are written as data', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-results-'))
  try {
    const harness = createMemoryHarness()
    const transport = await harness.open()
    const results = summarise(
      {
        name: 'memory',
        broker: transport.broker,
        version: transport.health().version,
        capabilities: transport.capabilities,
        ranAt: Date.UTC(2026, 10, 24, 23, 59),
      },
      [
        {
          behaviour: behaviour(() => Promise.resolve(), { features: ['priority'] }),
          outcome: { result: 'shown' },
        },
        {
          behaviour: { ...behaviour(() => Promise.resolve(), { features: ['expiry'] }), id: '00' },
          outcome: { result: 'not shown', reason: 'there is no time' },
        },
      ],
    )
    const path = await writeResults(join(folder, 'new'), results)
    expect(path).toBe(join(folder, 'new', 'memory.json'))
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      format: 1,
      broker: 'memory',
      version: '1',
      date: '2026-11-24',
      features: {
        priority: { level: 'native', result: 'shown' },
        expiry: { level: 'native', result: 'not shown' },
        durability: { level: 'unsupported', result: 'declared' },
      },
      behaviours: [
        { id: '0', result: 'shown' },
        { id: '00', result: 'not shown', reason: 'there is no time' },
      ],
    })
    await transport.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})
