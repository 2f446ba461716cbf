import { readmeOptions, shownDefaults } from '@posthorn/test-brokers'
import { describe, expect, test } from 'vitest'
import { rabbitmqDefaults, rabbitmqRules } from '../src/options.ts'

const { names, defaults } = readmeOptions(new URL('../README.md', import.meta.url))

describe('the README', () => {
  test('lists every option', () => {
    expect(names).toEqual(Object.keys(rabbitmqRules))
  })

  test('tells every default', () => {
    expect(defaults).toEqual(shownDefaults(rabbitmqDefaults))
  })
})
