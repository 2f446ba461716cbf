import { readmeOptions, shownDefaults } from '@posthorn/test-brokers'
import { describe, expect, test } from 'vitest'
import { kafkaDefaults, kafkaRules } from '../src/options.ts'

const { names, defaults } = readmeOptions(new URL('../README.md', import.meta.url))

describe('the README', () => {
  test('lists every option', () => {
    expect(names).toEqual(Object.keys(kafkaRules))
  })

  test('tells every default', () => {
    expect(defaults).toEqual(shownDefaults(kafkaDefaults))
  })
})
