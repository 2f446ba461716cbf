import { runPython, startPython } from '@posthorn/test-brokers'

const at = (program: string): URL => new URL(`pika/${program}`, import.meta.url)

/** Runs one of the programs to its end; answers what it said. Never rejects. */
export function runPika(
  python: string,
  program: string,
  args: readonly string[],
): ReturnType<typeof runPython> {
  return runPython(python, at(program), args)
}

/** Starts one of the programs; `lines` are those that it has printed so far. */
export function startPika(
  python: string,
  program: string,
  args: readonly string[],
): ReturnType<typeof startPython> {
  return startPython(python, at(program), args)
}
