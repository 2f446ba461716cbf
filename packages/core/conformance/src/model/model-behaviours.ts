import * as fc from 'fast-check'
import { knownKeyedPrograms, knownPrograms } from './known-programs.ts'
import { programs, type Command, type Program } from './program.ts'
import { runProgram, type ProgramTarget } from './run-program.ts'
import type { Bench } from '../bench/bench.ts'
import type { Area } from '../behaviour.ts'
import type { FaultName } from '../harness.ts'

/** How many programs, and how long they are; on a real clock each of them takes its time. */
const extents = {
  virtual: { numRuns: 40, longestProgram: 40, longestStepMs: 20_000 },
  real: { numRuns: 3, longestProgram: 20, longestStepMs: 1_500 },
}
/** The same programs each time, so that a failure is one that somebody brought in; more runs are other programs. */
const usualSeed = 20_261_124

/** A number from the environment, if it is one. */
function fromEnvironment(name: string): number | undefined {
  const value = Number(process.env[name])
  return Number.isSafeInteger(value) && process.env[name] !== '' && process.env[name] !== undefined
    ? value
    : undefined
}

/** Random programs; what fails is shrunk, and its error says with which seed and path to run it again. */
async function runPrograms(bench: Bench, target: ProgramTarget): Promise<void> {
  await bench.open()
  const extent = bench.virtual ? extents.virtual : extents.real
  const arbitrary = programs(
    {
      keyed: target.keyed,
      expires: bench.has('expiry'),
      delays: bench.has('delayedSend') && bench.has('delayedRetry'),
      faults: bench.offered,
      longestStepMs: extent.longestStepMs,
    },
    extent.longestProgram,
  )
  const runs = fromEnvironment('POSTHORN_CONFORMANCE_RUNS')
  const path = process.env['POSTHORN_CONFORMANCE_PATH']
  await fc.assert(
    fc.asyncProperty(arbitrary, (program) => bench.fresh((fresh) => runProgram(fresh, target, program))),
    {
      includeErrorInReport: true,
      numRuns: runs ?? extent.numRuns,
      // To shrink a program takes hundreds of others.
      endOnFailure: !bench.virtual && path === undefined,
      seed:
        fromEnvironment('POSTHORN_CONFORMANCE_SEED') ??
        (runs === undefined ? usualSeed : Math.floor(bench.clock.random() * 2 ** 31)),
      ...(path === undefined || path === '' ? {} : { path }),
    },
  )
}

/** Programs as they are, each on a bench of its own, without those that need a fault that is not offered. */
async function runKnown(
  bench: Bench,
  target: ProgramTarget,
  known: Readonly<Record<string, Program>>,
): Promise<void> {
  const runOne = async ([name, program]: readonly [string, Program]): Promise<void> => {
    const needed = program.map((command) => command.do).filter(isFault)
    if (!needed.every((fault) => bench.offered.has(fault))) return
    try {
      await bench.fresh((fresh) => runProgram(fresh, target, program))
    } catch (error) {
      throw new Error(`Program "${name}": ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  }
  const programs = Object.entries(known)
  if (bench.virtual) for (const one of programs) await runOne(one)
  // On a real clock they mostly wait.
  else await Promise.all(programs.map(runOne))
}

const notFaults: ReadonlySet<string> = new Set([
  'send',
  'advance',
  'start',
  'stop',
  'pause',
  'resume',
  'concurrency',
])
const isFault = (name: Command['do']): name is Command['do'] & FaultName => !notFaults.has(name)

const promise =
  'nothing is lost or settled twice, attempts are right, and each message ends acked, dead-lettered or expired'

/** Random programs of sends, settlements, faults and time, compared with a reference model. */
export const model: Area = {
  title: 'Random programs against a model',
  behaviours: [
    {
      id: '90',
      sentence: `Given random sends, answers, faults and time on a queue, then ${promise}`,
      run: (bench) => runPrograms(bench, { kind: 'queue', keyed: false }),
    },
    {
      id: '91',
      sentence: `Given the same with order by key, then ${promise}, each key in order`,
      needs: { features: ['keyOrder', 'holdKey'] },
      run: (bench) => runPrograms(bench, { kind: 'queue', keyed: true }),
    },
    {
      id: '92',
      sentence: `Given the same on a topic with two groups, then for each group ${promise}`,
      run: (bench) => runPrograms(bench, { kind: 'topic', keyed: false }),
    },
    {
      id: '93',
      sentence: `Given programs that once broke a transport, then ${promise}`,
      run: (bench) => runKnown(bench, { kind: 'queue', keyed: false }, knownPrograms),
    },
    {
      id: '94',
      sentence: `Given such programs with order by key, then ${promise}, each key in order`,
      needs: { features: ['keyOrder', 'holdKey'] },
      run: (bench) => runKnown(bench, { kind: 'queue', keyed: true }, knownKeyedPrograms),
    },
  ],
}
