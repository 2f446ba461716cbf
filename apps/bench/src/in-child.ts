import { fork } from 'node:child_process'

/**
 * Runs a module in a process of its own and answers what it sends back: each figure comes from a heap and a compiler
 * that nothing else has touched. The module reads its arguments from `process.argv[2]` as JSON.
 */
export function inChild<Result>(module: string, parameters: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL(module, import.meta.url), [JSON.stringify(parameters)], {
      execArgv: ['--conditions=posthorn-source', '--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    let result: Result | undefined
    child.on('message', (message) => {
      result = message as Result
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (result !== undefined && code === 0) resolve(result)
      else
        reject(new Error(`${module} ended with code ${code} and ${result === undefined ? 'no' : 'a'} result`))
    })
  })
}

/** For the module in the child: its parameters, and how to answer. */
export function childParameters<Parameters>(): Parameters {
  return JSON.parse(process.argv[2] ?? 'null') as Parameters
}

export function answer(result: unknown): void {
  process.send?.(result, () => process.exit(0))
}
