import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { kafkaDefaults, kafkaRules } from '../src/options.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const lines = readme.split('\n')
const head = lines.findIndex((line) => line.startsWith('| option '))
const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'))

/** The table of options: name and default, without the marks of code. */
const rows = lines
  .slice(head + 2, end)
  .map((line) => line.slice(1, -1).split('|'))
  .map((cells) => [cells[0], cells.at(-1)].map((cell = '') => cell.replaceAll('`', '').trim()))

describe('the README', () => {
  test('lists every option', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(kafkaRules))
  })

  test('tells every default', () => {
    const told = Object.fromEntries(rows.filter(([, text]) => text !== ''))
    const shown = (value: number | string): string =>
      typeof value === 'number' ? value.toLocaleString('en') : value
    expect(told).toEqual(
      Object.fromEntries(Object.entries(kafkaDefaults).map(([name, value]) => [name, shown(value)])),
    )
  })
})
