import { expect, test } from 'vitest'
import { jsonCodec } from '../codec/json-codec.ts'
import { systemClock } from '../clock/system-clock.ts'
import { checkOptions } from './check-options.ts'
import { transportDefaults, transportRules } from './transport-rules.ts'

test('every default may be given', () => {
  const { namespace, ...rest } = transportDefaults
  expect(namespace).toBe('')
  const given = { ...rest, codec: jsonCodec, clock: systemClock, namespace: 'shop-1' }
  expect(() => checkOptions('memory()', given, transportRules)).not.toThrow()
})

test.each([
  ['namespace', ''],
  ['namespace', 'a'.repeat(21)],
  ['namespace', 'a/b'],
  ['topology', 'ask'],
  ['sendTimeoutMs', 0],
  ['sendTimeoutMs', Infinity],
  ['maxInFlight', Infinity],
  ['maxInFlightBytes', 1.5],
  ['whenFull', 'drop'],
  ['maxReconnects', -1],
  ['maxReconnects', 1.5],
  ['maxReconnects', '5'],
  ['connectTimeoutMs', -1],
  ['stallMs', Number.NaN],
  ['clock', { now: () => 0 }],
  ['clock', null],
  ['codec', { encode: () => {} }],
  ['codec', null],
  ['publishUse', [{ name: 'a', phase: 'once', wrap: () => {} }]],
  ['publishUse', [{ name: 'a', phase: 'guard' }]],
  ['publishUse', {}],
])('%s is refused as %o', (name, value) => {
  expect(() => checkOptions('memory()', { [name]: value }, transportRules)).toThrow(`memory().${name}`)
})
