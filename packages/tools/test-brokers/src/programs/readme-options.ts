import { readFileSync } from 'node:fs'

export interface ReadmeOptions {
  readonly names: readonly string[]
  /** By name, as they are shown, for those that have one. */
  readonly defaults: Readonly<Record<string, string>>
}

/** The table of options in a driver's README: the name comes first in a row, the default last. */
export function readmeOptions(readme: URL): ReadmeOptions {
  const lines = readFileSync(readme, 'utf8').split('\n')
  const head = lines.findIndex((line) => line.startsWith('| option '))
  const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'))
  const rows = lines
    .slice(head + 2, end)
    .map((line) => line.slice(1, -1).split('|'))
    .map((cells) => [cells[0], cells.at(-1)].map((cell = '') => cell.replaceAll('`', '').trim()))
    .map(([name = '', shown = '']) => [name, shown] as const)
  return {
    names: rows.map(([name]) => name),
    defaults: Object.fromEntries(rows.filter(([, shown]) => shown !== '')),
  }
}

/** Defaults as a README shows them. */
export function shownDefaults(defaults: Readonly<Record<string, number | string>>): Record<string, string> {
  const shown = (value: number | string): string =>
    typeof value === 'number' ? value.toLocaleString('en') : value
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, shown(value)]))
}
