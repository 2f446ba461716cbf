import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Compiled {
  readonly output: string
  /** The first line of each in the program itself. */
  readonly errors: readonly string[]
  /** What the compiler counts its work by. */
  readonly instantiations: number
}

/** What the compiler says of a program that can use `createEventBus`, `Transport` and `MatchingNames`. */
export async function compile(program: string): Promise<Compiled> {
  const folder = mkdtempSync(join(tmpdir(), 'event-bus-types-'))
  try {
    const bus = relative(folder, fromRoot('packages/patterns/event-bus/src/index.ts'))
    const transport = relative(folder, fromRoot('packages/core/transport/src/index.ts'))
    const imports = [
      `import { createEventBus, type MatchingNames } from '${bus}'`,
      `import type { Transport } from '${transport}'`,
    ]
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'program.ts'), [...imports, program].join('\n'))
    const compilerOptions = { noEmit: true, typeRoots: [fromRoot('node_modules/@types')] }
    const config = { extends: fromRoot('config/tsconfig.base.json'), compilerOptions, files: ['program.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const output = await runCompiler(folder, '-p', '.', '--pretty', 'false', '--extendedDiagnostics')
    return {
      output,
      errors: output.split('\n').filter((line) => line.startsWith('program.ts(')),
      instantiations: Number(/Instantiations:\s+(\d+)/.exec(output)?.[1]),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function fromRoot(path: string): string {
  return fileURLToPath(new URL(`../../../../${path}`, import.meta.url))
}

/** What it printed; errors in the program are no failure. */
function runCompiler(cwd: string, ...words: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(fromRoot('node_modules/.bin/tsc'), words, { cwd, maxBuffer: 1e8 }, (_, stdout) =>
      resolve(stdout),
    )
  })
}
