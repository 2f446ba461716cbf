import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '@posthorn/transport/driver'
import { areas, behaviours } from './behaviours/all.ts'
import { runOnBench } from './bench/bench.ts'
import { runBehaviour, type Outcome } from './run-behaviour.ts'
import { summarise, type Subject } from './results/summarise.ts'
import { writeResults } from './results/write-results.ts'
import type { Behaviour } from './behaviour.ts'
import type { TransportHarness, TransportUnderTest } from './harness.ts'

const defaultTestTimeoutMs = 60_000

/**
 * Registers the whole suite with vitest, a test for each behaviour. A behaviour that cannot be shown here is skipped with
 * its reason. With `POSTHORN_CONFORMANCE_RESULTS` set to a folder, a complete run writes its results to
 * `<folder>/<name>.json`.
 */
export function describeTransport<Harness extends TransportHarness>(
  subject: TransportUnderTest<Harness>,
): void {
  const outcomes = new Map<Behaviour, Outcome>()
  const timeout = subject.testTimeoutMs ?? defaultTestTimeoutMs

  describe(`${subject.name} keeps the contract`, () => {
    let known: Subject | undefined

    beforeAll(async () => {
      known = await probe(subject)
    }, timeout)

    // What breaks the whole broker comes first, as long as little is on it.
    for (const concurrent of [false, true]) {
      for (const { title, behaviours } of areas) {
        const chosen = behaviours.filter((behaviour) => runsWithOthers(subject, behaviour) === concurrent)
        if (chosen.length === 0) continue
        describe(`${title}`, { concurrent }, () => {
          for (const behaviour of chosen) {
            const limit = timeout + (behaviour.extraMs ?? 0)
            test(`${behaviour.id}. ${behaviour.sentence}`, { timeout: limit }, async (context) => {
              const outcome = await runBehaviour(subject, behaviour)
              outcomes.set(behaviour, outcome)
              if (outcome.result === 'failed') throw outcome.error
              if (outcome.result === 'not shown')
                context.skip(`not shown for ${subject.name}: ${outcome.reason}`)
              expect(['shown', 'refused', 'declared']).toContain(outcome.result)
            })
          }
        })
      }
    }

    afterAll(async () => {
      const folder = process.env['POSTHORN_CONFORMANCE_RESULTS']
      const ran = behaviours.filter((behaviour) => outcomes.has(behaviour))
      // A part of the suite says nothing about the rest.
      if (folder === undefined || folder === '' || subject.writesResults === false) return
      if (known === undefined || ran.length < behaviours.length) return
      const found = ran.map((behaviour) => ({ behaviour, outcome: outcomes.get(behaviour) as Outcome }))
      await writeResults(folder, summarise(known, found))
    })
  })
}

function runsWithOthers<Harness extends TransportHarness>(
  { concurrent = false, alone }: TransportUnderTest<Harness>,
  { needs: { faults = [] } = {} }: Behaviour,
): boolean {
  return concurrent && faults.every((fault) => alone !== undefined && !alone.includes(fault))
}

function probe<Harness extends TransportHarness>(subject: TransportUnderTest<Harness>): Promise<Subject> {
  return runOnBench(subject, async (bench) => {
    const transport = await bench.open()
    const { broker, capabilities } = transport
    return {
      name: subject.name,
      broker,
      version: transport.health().version,
      capabilities,
      ranAt: systemClock.now(),
    }
  })
}
