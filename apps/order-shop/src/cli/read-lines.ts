import { fstatSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { UsageError } from './shop-arguments.ts'

export interface OrderLines {
  readonly lines: readonly string[]
  /** Where they come from, for people. */
  readonly from: string
}

const shipped = fileURLToPath(new URL('../../data/orders.jsonl', import.meta.url))
/** Whoever pipes orders in sends something soon; a pipe that only happens to be there stays silent. */
const pipeWaitMs = 500

/** The lines of an orders file that are not blank. Throws a `UsageError` when there are none. */
export async function readOrderLines(orders: string | undefined): Promise<OrderLines> {
  if (orders === '-') return split(await readStream(Infinity), 'standard input')
  if (orders !== undefined) return split(readFile(orders), orders)
  const piped = isPiped() ? await readStream(pipeWaitMs) : ''
  return piped.trim() === ''
    ? split(readFileSync(shipped, 'utf8'), 'data/orders.jsonl')
    : split(piped, 'standard input')
}

function split(text: string, from: string): OrderLines {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
  if (lines.length === 0)
    throw new UsageError(`There are no orders in ${from}: one JSON object on each line is wanted.`)
  return { lines, from }
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--orders: ${file} cannot be read: ${(error as Error).message}`)
  }
}

function isPiped(): boolean {
  try {
    const stats = fstatSync(0)
    return stats.isFIFO() || stats.isFile() || stats.isSocket()
  } catch {
    return false
  }
}

/** Standard input up to its end; nothing when no byte of it comes in time. */
function readStream(waitMs: number): Promise<string> {
  const { stdin } = process
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const timer = waitMs === Infinity ? undefined : setTimeout(() => end(''), waitMs)
    const end = (text: string): void => {
      clearTimeout(timer)
      stdin.destroy()
      resolve(text)
    }
    stdin.on('data', (chunk: Buffer) => {
      clearTimeout(timer)
      chunks.push(chunk)
    })
    stdin.once('end', () => end(Buffer.concat(chunks).toString()))
    stdin.once('error', reject)
  })
}
