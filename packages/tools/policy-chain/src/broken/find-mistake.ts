import type { BrokenProgram } from './broken-program.ts'
import { explore, shuffled, singles } from '../explore.ts'

/** What the exploration says of the mistake, or nothing. */
export async function findMistake(program: BrokenProgram, random: () => number): Promise<readonly string[]> {
  const { caughtAs } = program
  const { failures } = await explore(program, shuffled(await singles(program), random), { until: caughtAs })
  return failures.flatMap(({ violations }) => violations.filter((violation) => caughtAs.test(violation)))
}
