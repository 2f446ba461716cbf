import { inChild } from '../in-child.ts'
import type { Goal } from '../goal.ts'
import type { MemoryParameters, MemoryResult } from './memory-child.ts'

export interface MemoryOptions {
  readonly url: string
  readonly quick: boolean
  /** Ten million messages instead of one. */
  readonly full: boolean
  readonly deleteTopics: (prefix: string) => Promise<void>
}

/** How much the memory grows; only the first sample's and the last one's is shown. */
export interface MemoryReport {
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
  readonly data: unknown
}

/** The young generation in its full size from the start, in MB, so that its growth is not taken for ours. */
const fixedHeap = ['--min-semi-space-size=16', '--max-semi-space-size=16']

export async function memory({ url, quick, full, deleteTopics }: MemoryOptions): Promise<MemoryReport> {
  const million = quick ? 100_000 : 1_000_000
  const rows: string[][] = []
  const goals: Goal[] = []
  const data: Record<string, MemoryResult> = {}
  const measure = async (
    name: string,
    what: string,
    work: MemoryParameters['work'],
    messages: number,
    before?: MemoryParameters['work'],
  ): Promise<void> => {
    const step = Math.min(messages / 2, 100_000)
    const parameters = { url, queue: `bench.memory.${name}`, messages, step }
    const run = (part: MemoryParameters['work']): Promise<MemoryResult> =>
      inChild<MemoryResult>('./kafka/memory-child.ts', { ...parameters, work: part }, fixedHeap)
    if (before !== undefined) await run(before)
    const rss = await run(work)
    await deleteTopics(parameters.queue)
    const first = rss[0] ?? Number.NaN
    const last = rss.at(-1) ?? Number.NaN
    const count = (messages: number): string => messages.toLocaleString('en')
    rows.push(
      [`RSS after ${count(step)} ${what}`, megabytes(first), '', '', '', '1'],
      [`RSS after ${count(messages)}`, megabytes(last), '', (last / first).toFixed(2), '', '1'],
    )
    goals.push({ name: `kafka.${name}`, measured: last / first, wanted: 1.2, unit: 'x', kind: 'atMost' })
    data[name] = rss
  }
  await measure('flat', 'messages', 'through', full ? 10 * million : million)
  await measure('stuck', 'messages, one stuck', 'stuck', million / 2)
  await measure('backlog', `of a backlog of ${million.toLocaleString('en')}`, 'drain', million, 'fill')
  return { rows, goals, data }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
