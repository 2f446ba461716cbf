import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeOnSignals } from './close-on-signals.ts'
import type { CloseReport } from './contract/transport.ts'

// Each test starts a process, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const sources = new URL('./', import.meta.url)
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

interface Program {
  /** Resolves with what the program has printed, once this is in it. */
  prints(text: string): Promise<void>
  signal(name: NodeJS.Signals): void
  ended(): Promise<{ readonly code: number | null; readonly signal: string | null; readonly output: string }>
}

/** A process of its own with two transports to one broker; `body` says what they do. */
function run(body: string): Program {
  const source = `
    import { createMemoryBroker } from ${JSON.stringify(new URL('memory.ts', sources).href)}
    const broker = createMemoryBroker()
    const transport = await broker.connect()
    const other = await broker.connect()
    const say = (text) => process.stdout.write(text + '\\n')
    const hang = () => new Promise(() => {})
    ${body}
    say('ready')
  `
  const child = spawn(process.execPath, [
    '--conditions=posthorn-source',
    '--input-type=module',
    '--eval',
    source,
  ])
  children.push(child)
  let output = ''
  let look = (): void => {}
  const take = (chunk: Buffer): void => {
    output += chunk.toString()
    look()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const exit = once(child, 'close') as Promise<[number | null, string | null]>
  return {
    prints: (text) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (output.includes(text)) resolve()
        }
        look()
        void exit.then(() => reject(new Error(`It ended without "${text}": ${output}`)))
      }),
    signal: (name) => void child.kill(name),
    ended: async () => {
      const [code, signal] = await exit
      return { code, signal, output }
    },
  }
}

test('both signals are listened to once, for all transports together', () => {
  const count = (): readonly number[] =>
    (['SIGTERM', 'SIGINT'] as const).map((signal) => process.listenerCount(signal))
  const before = count()
  const close = (): Promise<CloseReport> => Promise.resolve({ consumers: [], unconfirmed: 0, clean: true })
  const undo = [closeOnSignals({ close }), closeOnSignals({ close })]
  expect(count()).toEqual(before.map((listeners) => listeners + 1))
  for (const one of undo) one()
  expect(count()).toEqual(before)
})

describe('the first signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s closes and ends the process with 0 when nothing was left',
    async (signal) => {
      const program = run(`
      await transport.send('orders', { data: 1 })
      await transport.consume('orders', async () => {
        say('handling')
        await new Promise((resolve) => setTimeout(resolve, 50))
        say('handled')
      })
      transport.closeOnSignals({ onClosed: (report) => say('closed ' + report.clean + ' ' + report.consumers.length) })
    `)
      await program.prints('handling')
      await program.prints('ready')
      program.signal(signal)
      const { code, output } = await program.ended()
      expect(output).toContain('handled\nclosed true 1')
      expect(code).toBe(0)
    },
  )

  test('ends the process with 1 when something was left, and tells what', async () => {
    const program = run(`
      await transport.send('orders', { data: 1, id: 'stuck' })
      await transport.consume('orders', () => (say('handling'), hang()))
      transport.closeOnSignals({
        deadlineMs: 50,
        onClosed: (report) => say('left ' + JSON.stringify(report.consumers[0].unfinished)),
      })
    `)
    await program.prints('handling')
    await program.prints('ready')
    program.signal('SIGTERM')
    const { code, output } = await program.ended()
    expect(output).toContain('left [{"id":"stuck","type":"orders"}]')
    expect(code).toBe(1)
  })

  test('waits for every transport of the process, and counts what each has left', async () => {
    const program = run(`
      await other.send('orders', { data: 1 })
      await other.consume('orders', () => (say('handling'), hang()))
      transport.closeOnSignals({ onClosed: () => say('first closed') })
      other.closeOnSignals({ deadlineMs: 50, onClosed: () => say('second closed') })
    `)
    await program.prints('handling')
    await program.prints('ready')
    program.signal('SIGTERM')
    const { code, output } = await program.ended()
    expect(output).toMatch(/first closed\n(.*\n)*second closed/)
    expect(code).toBe(1)
  })

  test('ends the process with 1 when the callback throws, telling why', async () => {
    const program = run(
      `transport.closeOnSignals({ onClosed: () => { throw new Error('cannot write the report') } })`,
    )
    await program.prints('ready')
    program.signal('SIGTERM')
    const { code, output } = await program.ended()
    expect(output).toContain('closeOnSignals: onClosed threw')
    expect(output).toContain('cannot write the report')
    expect(code).toBe(1)
  })
})

describe('a second signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends the process at once with %i', async (signal, expected) => {
    const program = run(`
      await transport.send('orders', { data: 1 })
      await transport.consume('orders', (_message, { signal }) => (say('handling'), hang()))
      transport.on('connection', () => {})
      transport.closeOnSignals({ onClosed: () => say('closed') })
      process.on('SIGTERM', () => say('got one'))
    `)
    await program.prints('handling')
    await program.prints('ready')
    program.signal('SIGTERM')
    await program.prints('got one')
    program.signal(signal)
    const { code, output } = await program.ended()
    expect(code).toBe(expected)
    expect(output).not.toContain('closed')
  })
})

describe('undone', () => {
  test.each([
    ['by what it answered', 'transport.closeOnSignals()()'],
    ['by closing the transport', 'transport.closeOnSignals(); await transport.close()'],
  ])('%s, it leaves signals to the platform', async (_how, body) => {
    const program = run(`${body}; say(process.listenerCount('SIGTERM') + ' listeners')`)
    await program.prints('ready')
    program.signal('SIGTERM')
    const { code, signal, output } = await program.ended()
    expect(output).toContain('0 listeners')
    expect([code, signal]).toEqual([null, 'SIGTERM'])
  })

  test('for one transport, it stays for the others', async () => {
    const program = run(`
      other.closeOnSignals()()
      const undo = other.closeOnSignals()
      transport.closeOnSignals({ onClosed: () => say('closed') })
      undo()
      undo()
      say(process.listenerCount('SIGTERM') + ' listener')
    `)
    await program.prints('ready')
    program.signal('SIGTERM')
    const { code, output } = await program.ended()
    expect(output).toContain('1 listener')
    expect(output).toContain('closed')
    expect(code).toBe(0)
  })
})

test('a process that has closed its transports ends by itself', async () => {
  const program = run(`
    await transport.consume('orders', () => say('handled'))
    await other.send('orders', { data: 1 })
    await transport.close()
    await other.close()
  `)
  const { code } = await program.ended()
  expect(code).toBe(0)
})
