import { fork, type ChildProcess } from 'node:child_process'

/** A module that runs in a process of its own and answers requests, one after the other. */
export interface Child {
  ask<Result>(request: unknown): Promise<Result>
  /** Ends the process. */
  end(): void
}

/**
 * Starts a module in a process of its own: each figure comes from a heap and a compiler that nothing else has touched. The
 * module passes what answers its requests to `answerAll`.
 */
export function startChild(module: string): Child {
  const child = forkModule(module, [], [])
  let settle: { resolve(result: unknown): void; reject(error: Error): void } | undefined
  child.on('message', (answer: Answer) => {
    if (answer.error === undefined) settle?.resolve(answer.result)
    else settle?.reject(new Error(answer.error))
  })
  child.on('error', (error) => settle?.reject(error))
  child.on('exit', (code) => settle?.reject(new Error(`${module} ended with code ${code} and no result`)))
  return {
    ask: <Result>(request: unknown): Promise<Result> =>
      new Promise<Result>((resolve, reject) => {
        settle = { resolve: (result) => resolve(result as Result), reject }
        child.send({ request })
      }),
    end: () => child.kill(),
  }
}

/** What a child says of one request. */
interface Answer {
  readonly result?: unknown
  readonly error?: string
}

/** For the module in the child: answers every request, until its parent ends. */
export function answerAll<Request>(answerOne: (request: Request) => Promise<unknown>): void {
  process.on('message', ({ request }: { readonly request: Request }) => {
    answerOne(request).then(
      (result) => process.send?.({ result } satisfies Answer),
      (error: unknown) => process.send?.({ error: String(error) } satisfies Answer),
    )
  })
  process.on('disconnect', () => process.exit(0))
}

/**
 * Runs a module in a process of its own and answers what it sends back. The module reads its arguments from
 * `process.argv[2]` as JSON. `nodeOptions` are for its process.
 */
export function inChild<Result>(
  module: string,
  parameters: unknown,
  nodeOptions: readonly string[] = [],
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = forkModule(module, [JSON.stringify(parameters)], nodeOptions)
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

function forkModule(
  module: string,
  parameters: readonly string[],
  nodeOptions: readonly string[],
): ChildProcess {
  return fork(new URL(module, import.meta.url), parameters, {
    execArgv: ['--conditions=posthorn-source', '--expose-gc', '--no-warnings', ...nodeOptions],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

/** For the module in the child: its parameters, and how to answer. */
export function childParameters<Parameters>(): Parameters {
  return JSON.parse(process.argv[2] ?? 'null') as Parameters
}

export function answer(result: unknown): void {
  process.send?.(result, () => process.exit(0))
}
