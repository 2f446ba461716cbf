import { setImmediate as nextTurn } from 'node:timers/promises'
import { isPosthornError } from '@posthorn/transport'
import { rabbitmq } from '@posthorn/rabbitmq'
import { startRabbitmq } from '@posthorn/test-brokers'
import { body } from './bench-client.ts'
import { answer, childParameters } from '../in-child.ts'

export interface FrozenParameters {
  readonly version: '3.10'
  /** So many are sent while the broker is frozen. */
  readonly sends: number
  readonly sendTimeoutMs: number
}

export interface FrozenResult {
  /** RSS in bytes after each tenth of the sends, without garbage. All room for messages in flight is taken by the first. */
  readonly rss: readonly number[]
  /** How many sends ended, by their outcome. */
  readonly ended: { readonly confirmed: number; readonly rejected: number; readonly unknown: number }
  /** Milliseconds from the last send until all had ended. */
  readonly waitedMs: number
}

const { version, sends, sendTimeoutMs } = childParameters<FrozenParameters>()
// With settings of its own, so that it is one that can be frozen.
const server = await startRabbitmq({ version, config: {} })
const transport = await rabbitmq({ url: server.url, sendTimeoutMs })
const ended = { confirmed: 0, rejected: 0, unknown: 0 }
/** Nothing is kept of a send here, so that what grows is not ours. */
let whenEnded = (): void => {}
function send(): void {
  transport.send('frozen', { data: body }).then(
    () => {
      ended.confirmed++
      whenEnded()
    },
    (error: unknown) => {
      if (isPosthornError(error) && error.outcome !== undefined) ended[error.outcome]++
      whenEnded()
    },
  )
}

/** Sends so many, a thousand in each turn; answers a promise of the end of the last one. */
async function push(
  count: number,
  afterEach: (sent: number) => void,
): Promise<{ readonly ended: Promise<void> }> {
  let left = count
  const all = new Promise<void>((resolve) => {
    whenEnded = () => {
      left--
      if (left === 0) resolve()
    }
  })
  for (let sent = 0; sent < count;) {
    for (const end = sent + 1000; sent < end; sent++) send()
    await nextTurn()
    afterEach(sent)
  }
  return { ended: all }
}

/** In flight and waiting, at the most, by default. */
const room = 20_000
await (
  await push(room, () => {})
).ended
Object.assign(ended, { confirmed: 0, rejected: 0, unknown: 0 })

server.pause()
const rss: number[] = []
const pushed = await push(sends, (sent) => {
  if (sent % (sends / 10) !== 0) return
  globalThis.gc?.()
  rss.push(process.memoryUsage().rss)
})
const pushedAt = performance.now()
await pushed.ended
const result: FrozenResult = { rss, ended, waitedMs: performance.now() - pushedAt }
server.resume()
await transport.close()
await server.stop()
answer(result)
