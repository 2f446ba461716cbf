import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readCharges } from '../outside/charge-database.ts'

/** Everything that a run of the shop has done, as found on disk. */
export interface Effects {
  /** The order of each charge, reservation, sale and e-mail that there is, one entry for each. */
  readonly charges: readonly string[]
  readonly reservations: readonly string[]
  readonly sales: readonly string[]
  readonly emails: readonly string[]
  /** Pictures that are not empty. */
  readonly images: ReadonlySet<string>
  readonly reports: ReadonlySet<string>
  /** Cents, as the customers' report adds up to; `undefined` when there is none. */
  readonly reportedCents: number | undefined
  readonly deadLetters: readonly DeadLetter[]
  /** Bodies of dead letters that were replayed. */
  readonly replayed: readonly string[]
  readonly ledger: readonly LedgerLine[]
}

export interface DeadLetter {
  readonly source: string
  readonly id: string
  readonly attempts: number
  readonly handler?: string
  readonly reason?: string
  readonly error?: string
  readonly body: string
}

export interface LedgerLine {
  readonly effect: string
  readonly orderId?: string
  readonly customerId?: string
  readonly by?: string
  readonly subject?: string
  readonly error?: string
}

/** Reads a run's folder. Whatever is missing there counts as not done. */
export function readEffects(folder: string): Effects {
  const report = join(folder, 'reports', 'customers.csv')
  return {
    charges: readCharges(folder),
    reservations: readJson(folder, 'reservations').map(({ orderId }) => String(orderId)),
    sales: readJson(folder, 'sales').map(({ id }) => String(id)),
    emails: list(folder, 'emails').map((file) => readHeader(join(folder, 'emails', file), 'X-Order-Id')),
    images: new Set(list(folder, 'images').filter((file) => statSync(join(folder, 'images', file)).size > 0)),
    reports: new Set(list(folder, 'reports')),
    reportedCents: existsSync(report) ? sumReport(readFileSync(report, 'utf8')) : undefined,
    deadLetters: readLines<DeadLetter>(join(folder, 'dead-letters.jsonl')),
    replayed: readLines<DeadLetter>(join(folder, 'replayed.jsonl')).map(({ body }) => body),
    ledger: readLines<LedgerLine>(join(folder, 'ledger.jsonl')),
  }
}

function list(folder: string, name: string): string[] {
  const path = join(folder, name)
  return existsSync(path) ? readdirSync(path) : []
}

function readJson(folder: string, name: string): Record<string, unknown>[] {
  return list(folder, name).map(
    (file) => JSON.parse(readFileSync(join(folder, name, file), 'utf8')) as Record<string, unknown>,
  )
}

function readLines<Line>(file: string): Line[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line)
}

function readHeader(file: string, name: string): string {
  const [head = ''] = readFileSync(file, 'utf8').split('\r\n\r\n')
  const line = head.split('\r\n').find((one) => one.startsWith(`${name}: `))
  return line?.slice(name.length + 2) ?? ''
}

/** Of its last column. */
function sumReport(csv: string): number {
  const rows = csv.trim().split('\r\n').slice(1)
  return rows.reduce((sum, row) => sum + Math.round(Number(row.slice(row.lastIndexOf(',') + 1)) * 100), 0)
}
