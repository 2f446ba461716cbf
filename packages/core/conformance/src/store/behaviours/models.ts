import fc from 'fast-check'
import { claimsPrograms, runClaimsProgram } from '../model/run-claims-program.ts'
import { outboxPrograms, runOutboxProgram } from '../model/run-outbox-program.ts'
import type { StoreArea } from '../store-behaviour.ts'

export const models: StoreArea = {
  title: 'Models',
  behaviours: [
    {
      id: 'm1',
      sentence: 'Given any program of claims in two processes, then each answer is that of the model',
      async run(bench) {
        const stores = [await bench.open(), await bench.open()]
        let runs = 0
        await fc.assert(
          fc.asyncProperty(claimsPrograms, async (program) => {
            runs += 1
            await runClaimsProgram(bench, stores, `run-${runs}`, program)
          }),
          { numRuns: bench.programs },
        )
      },
    },
    {
      id: 'm2',
      sentence:
        'Given any program of two relays, then each gets what nobody has, in the order of its key, and nothing is left',
      async run(bench) {
        const stores = [await bench.open(), await bench.open()]
        let runs = 0
        await fc.assert(
          fc.asyncProperty(outboxPrograms, async (program) => {
            runs += 1
            await runOutboxProgram(bench, stores, `run-${runs}`, program)
          }),
          { numRuns: bench.programs },
        )
      },
    },
  ],
}
