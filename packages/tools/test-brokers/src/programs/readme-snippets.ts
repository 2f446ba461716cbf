import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { within } from '../wall-clock.ts'

/** Milliseconds. */
const patienceMs = 30_000

export interface ReadmeSnippets {
  /** What the first one is said to print. */
  readonly output: string
  /**
   * Runs the one snippet that has `text` in it as a process until it has said `expected`, and asks it to end; answers all that it
   * has said, and its code. `url` is what it says of the server, and what is there instead.
   */
  run(
    text: string,
    expected: string,
    url: readonly [said: string, actual: string],
  ): Promise<{ readonly output: string; readonly code: number | null }>
}

/** The snippets of a package's README that are not run by themselves, since they need a server. */
export function readmeSnippets(readme: URL): ReadmeSnippets {
  const markdown = readFileSync(readme, 'utf8')
  const snippets = [...markdown.matchAll(/^```ts no-run\n(.*?)^```/gms)].map(([, code = '']) => code)
  const [, output = ''] = /^```text\n(.*?)^```/ms.exec(markdown) ?? []
  return {
    output,
    async run(text, expected, [said, actual]) {
      const [snippet, ...others] = snippets.filter((code) => code.includes(text))
      if (snippet === undefined || others.length > 0) throw new Error(`Not one snippet has "${text}" in it.`)
      const child = spawn(
        process.execPath,
        [
          ...['--conditions=posthorn-source', '--input-type=module-typescript'],
          ...['--eval', snippet.replaceAll(said, actual)],
        ],
        { cwd: fileURLToPath(new URL('.', readme)), stdio: ['ignore', 'pipe', 'pipe'] },
      )
      const ended = once(child, 'close') as Promise<[number | null]>
      let written = ''
      const hasSaid = new Promise<void>((resolve) => {
        for (const stream of [child.stdout, child.stderr]) {
          stream.on('data', (bytes) => {
            written += String(bytes)
            if (written.includes(expected)) resolve()
          })
        }
      })
      await within(patienceMs, Promise.race([hasSaid, ended]))
      child.kill('SIGTERM')
      if ((await within(patienceMs, ended)) === undefined) child.kill('SIGKILL')
      const [code] = await ended
      return { output: written, code }
    },
  }
}
