import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The one snippet that has this text in it. */
function snippetWith(text: string): string {
  const found = [...readme.matchAll(/^```ts no-run\n(.*?)^```/gms)].filter(([, code = '']) =>
    code.includes(text),
  )
  expect(found).toHaveLength(1)
  return found[0]?.[1] ?? ''
}

describe(`the snippets of the README on RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()

  /** Runs a snippet as a process until it has said this, and asks it to end; answers all that it has said, and its code. */
  async function run(
    snippet: string,
    expected: string,
  ): Promise<{ readonly output: string; readonly code: number | null }> {
    const text = snippet.replaceAll('amqp://localhost', bench.server.url)
    const child = spawn(
      process.execPath,
      ['--conditions=posthorn-source', '--input-type=module-typescript', '--eval', text],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += String(bytes)))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    try {
      await vi.waitFor(() => expect(output).toContain(expected), patience)
      child.kill('SIGTERM')
      return { output, code: await ended }
    } finally {
      child.kill('SIGKILL')
    }
  }

  test('the first one prints what it says, and ends in order', async () => {
    const [, output = ''] = /^```text\n(.*?)^```/ms.exec(readme) ?? []
    expect(await run(snippetWith('out of stock'), output)).toEqual({ output, code: 0 })
  })

  test('those for queues of others work on them', async () => {
    await bench.channel.assertQueue('tasks', { durable: true })
    const made = await run(snippetWith("queueType: 'classic' })"), 'from Python')
    bench.channel.sendToQueue('tasks', Buffer.from('{"number":2}'))
    const checked = await run(snippetWith("name: 'tasks.dlq'"), 'from Python')
    await bench.channel.assertQueue('tasks-failed', { durable: true })
    bench.channel.sendToQueue('tasks-failed', Buffer.from('{"number":3}'), { messageId: 'task-3' })
    const letters = await run(snippetWith('tasks-failed'), 'task-3')
    expect([made, checked, letters].map(({ output }) => output)).toEqual([
      'from Python { number: 1 }\n',
      'from Python { number: 2 }\n',
      expect.stringMatching(/^task-3 unknown \d+\n$/),
    ])
  })
})
