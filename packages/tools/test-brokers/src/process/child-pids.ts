import { runProgram } from './run-program.ts'

/** The processes that a process has started, and that run. */
export async function childPids(pid: number): Promise<number[]> {
  const { stdout } = await runProgram('ps', ['-A', '-o', 'pid=,ppid='])
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child = 0, parent]) => (parent === pid ? [child] : []))
}
