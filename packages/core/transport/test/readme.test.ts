import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { consumeDefaults } from '../src/consume/consume-settings.ts'
import { errorCodes } from '../src/error-codes.ts'
import { createMemoryBroker } from '../src/memory.ts'
import { describeCapabilities } from '../src/memory/capabilities.ts'
import { memoryDefaults } from '../src/memory/options.ts'
import { sendRules, transportDefaults, transportRules } from '../src/options/transport-rules.ts'
import type {
  BatchConsumeOptions,
  DurableSubscription,
  EphemeralSubscription,
} from '../src/contract/consume-options.ts'
import type { OutgoingMessage } from '../src/contract/message.ts'
import type { TransportEvents } from '../src/contract/events.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The rows of the table whose first column has this title, without its head, and without the marks of code. */
function readTable(title: string): string[][] {
  const lines = readme.split('\n')
  const head = lines.findIndex((line) => line.startsWith('|') && cellsOf(line)[0] === title)
  const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'))
  return head === -1 ? [] : lines.slice(head + 2, end).map(cellsOf)
}

function cellsOf(line: string): string[] {
  const cells = line.slice(1, -1).split(/(?<!\\)\|/)
  return cells.map((cell) => cell.replaceAll('`', '').trim())
}

function namesOf(title: string): string[] {
  return readTable(title).map(([name]) => name ?? '')
}

/** Numbers, words, true and false as the table writes them; `undefined` for defaults that are told in prose. */
function shown(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value.toLocaleString('en')
  if (typeof value === 'string' && value !== '') return `'${value}'`
  return typeof value === 'boolean' ? String(value) : undefined
}

function expectDefaults(title: string, defaults: Readonly<Record<string, unknown>>): void {
  const told = readTable(title).filter(([name = '']) => shown(defaults[name]) !== undefined)
  expect(told.length).toBeGreaterThan(0)
  expect(told.map(([name, text]) => [name, text])).toEqual(
    told.map(([name = '']) => [name, shown(defaults[name])]),
  )
}

describe('the tables of the README', () => {
  test('list every error code with its meaning', () => {
    expect(readTable('code')).toEqual(Object.entries(errorCodes))
  })

  test('list every event', () => {
    const events = {
      connection: true,
      returned: true,
      settlementFailed: true,
      leaseLost: true,
      expired: true,
      decodeFailed: true,
      retried: true,
      deadLettered: true,
      deadLetterFailed: true,
      handlerTimedOut: true,
      handlerFailed: true,
      suspect: true,
      paused: true,
      resumed: true,
      stalled: true,
      rebuilt: true,
      gap: true,
      callbackFailed: true,
    } satisfies Record<keyof TransportEvents, true>
    expect(namesOf('event').toSorted()).toEqual(Object.keys(events).toSorted())
  })

  test('list every feature', () => {
    const { features } = describeCapabilities(memoryDefaults)
    expect(namesOf('feature').toSorted()).toEqual(Object.keys(features).toSorted())
  })

  test('list every field of a message to send', () => {
    const fields = {
      data: true,
      id: true,
      type: true,
      time: true,
      headers: true,
      key: true,
      routingKey: true,
      correlationId: true,
      causationId: true,
      replyTo: true,
      expiresAt: true,
      priority: true,
      delayMs: true,
    } satisfies Record<keyof OutgoingMessage, true>
    expect(namesOf('OutgoingMessage').toSorted()).toEqual(Object.keys(fields).toSorted())
  })

  test('list every option of a transport with its default', () => {
    expect(namesOf('TransportOptions').toSorted()).toEqual(Object.keys(transportRules).toSorted())
    expectDefaults('TransportOptions', transportDefaults)
  })

  test('list every option of a send', () => {
    expect(namesOf('SendOptions').toSorted()).toEqual(Object.keys(sendRules).toSorted())
  })

  test('list every option of a consumer with its default', () => {
    const options = {
      concurrency: true,
      prefetch: true,
      use: true,
      order: true,
      whileRetrying: true,
      maxAttempts: true,
      retryDelay: true,
      maxDeliveries: true,
      handlerTimeoutMs: true,
      maxBytes: true,
      name: true,
      batch: true,
    } satisfies Record<keyof BatchConsumeOptions, true>
    expect(namesOf('ConsumeOptions').toSorted()).toEqual(Object.keys(options).toSorted())
    expectDefaults('ConsumeOptions', consumeDefaults)
  })

  test('list every option of a subscription', () => {
    const options = {
      group: true,
      ephemeral: true,
      patterns: true,
      from: true,
    } satisfies Record<keyof DurableSubscription | keyof EphemeralSubscription, true>
    expect(namesOf('SubscriptionOptions').toSorted()).toEqual(Object.keys(options).toSorted())
  })

  test('list every option of the in-memory broker with its default', () => {
    expect(namesOf('MemoryBrokerOptions').toSorted()).toEqual(
      ['clock', ...Object.keys(memoryDefaults)].toSorted(),
    )
    expectDefaults('MemoryBrokerOptions', { ...memoryDefaults })
  })

  test('list every fault of the in-memory broker', () => {
    const named = namesOf('fault').map((call) => call.slice(0, call.indexOf('(')))
    expect(named.toSorted()).toEqual(Object.keys(createMemoryBroker().faults).toSorted())
  })
})
