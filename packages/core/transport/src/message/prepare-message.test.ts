import { describe, expect, test, vi } from 'vitest'
import { createIdFactory } from './create-id.ts'
import { createMessagePreparer } from './prepare-message.ts'
import { noHeaders } from './check-headers.ts'
import { jsonCodec } from '../codec/json-codec.ts'
import { isPosthornError } from '../errors.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { PrepareMessage } from './prepare-message.ts'
import type { PosthornError } from '../errors.ts'
import type { Capabilities, Capability, Feature } from '../contract/capabilities.ts'
import type { Codec } from '../contract/codec.ts'
import type { OutgoingMessage } from '../contract/message.ts'

const now = 1_700_000_000_000
const native: Capability = { level: 'native' }

/** What a message's preparation asks for; the other features do not matter to it. */
function createCapabilities(
  features: Partial<Record<Feature, Capability>>,
  limits: Partial<Capabilities['limits']>,
): Capabilities {
  return {
    features: { delayedSend: native, priority: native, ...features } as Capabilities['features'],
    lease: { scope: 'delivery', durationMs: 30_000 },
    limits: { maxBodyBytes: 1_000, maxHeaderBytes: 100, maxBatch: 100, maxBatchBytes: 10_000, ...limits },
  }
}

function createPreparer(
  options: {
    readonly features?: Partial<Record<Feature, Capability>>
    readonly limits?: Partial<Capabilities['limits']>
    readonly codec?: Codec
  } = {},
): PrepareMessage {
  const clock = createVirtualClock({ startAt: now })
  const capabilities = createCapabilities(options.features ?? {}, options.limits ?? {})
  return createMessagePreparer({
    codec: options.codec ?? jsonCodec,
    clock,
    createId: createIdFactory(clock),
    broker: () => ({ name: 'tinymq', version: '1.2', capabilities }),
  })
}

const prepare = createPreparer()

function refusal(message: unknown, preparer: PrepareMessage = prepare): PosthornError {
  try {
    preparer('orders', message as OutgoingMessage)
  } catch (error) {
    if (isPosthornError(error) && error.phase === 'publish' && error.outcome === 'rejected') return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('preparing a message', () => {
  test('fills in everything that is left out', () => {
    const message = prepare('orders', { data: { n: 1 } })

    expect(message).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      type: 'orders',
      time: now,
      body: Buffer.from('{"n":1}'),
      contentType: 'application/json',
      headers: {},
      key: undefined,
      routingKey: 'orders',
      correlationId: undefined,
      causationId: undefined,
      replyTo: undefined,
      expiresAt: undefined,
      priority: undefined,
      notBefore: undefined,
      attempt: 1,
      releases: 0,
      trials: 0,
      idMadeUp: false,
      replays: 0,
      firstFailedAt: undefined,
      lastFailedAt: undefined,
      lastError: undefined,
    })
    expect(message.headers).toBe(noHeaders)
  })

  test('keeps everything that is given', () => {
    const replyTo = 'inbox/0195b2c1-0000-7000-8000-000000000000'
    const message = prepare('orders', {
      data: new Uint8Array([7]),
      id: 'order-17',
      type: 'order.created',
      time: new Date(now - 5),
      headers: { 'x-tenant': 'a' },
      key: 'kunde-ä',
      routingKey: 'eu.order.created',
      correlationId: 'c-1',
      causationId: 'c-2',
      replyTo,
      expiresAt: new Date(now + 5),
      priority: 9,
      delayMs: 1_000,
    })

    expect(message).toMatchObject({
      id: 'order-17',
      type: 'order.created',
      time: now - 5,
      contentType: 'application/octet-stream',
      key: 'kunde-ä',
      routingKey: 'eu.order.created',
      correlationId: 'c-1',
      causationId: 'c-2',
      replyTo,
      expiresAt: now + 5,
      priority: 9,
      notBefore: now + 1_000,
    })
    expect({ ...message.headers }).toEqual({ 'x-tenant': 'a' })
  })

  test('has messages of one shape, whichever fields are given', () => {
    const fields = Object.keys(prepare('orders', { data: 1 }))

    expect(Object.keys(prepare('orders', { data: 1, key: 'k', priority: 3, headers: { a: 'b' } }))).toEqual(
      fields,
    )
  })

  test('takes the type as the routing key', () => {
    expect(prepare('events', { data: 1, type: 'order.created' }).routingKey).toBe('order.created')
  })

  test('takes fields that are undefined for left out', () => {
    const message = {
      data: 1,
      key: undefined,
      delayMs: undefined,
      colour: undefined,
    } as unknown as OutgoingMessage

    expect(prepare('orders', message)).toMatchObject({ key: undefined, notBefore: undefined, type: 'orders' })
  })

  test('takes a message that has expired already', () => {
    expect(prepare('orders', { data: 1, expiresAt: now - 1 }).expiresAt).toBe(now - 1)
  })

  test('is never early: parts of a millisecond are rounded for that', () => {
    expect(prepare('orders', { data: 1, delayMs: 0.2 }).notBefore).toBe(now + 1)
    expect(prepare('orders', { data: 1, delayMs: 0 }).notBefore).toBeUndefined()
    expect(prepare('orders', { data: 1, expiresAt: now + 0.9, time: 0.9 })).toMatchObject({
      expiresAt: now,
      time: 0,
    })
  })

  test.each<[string, readonly unknown[]]>([
    ['id', ['', 'a b', 'x'.repeat(129), 'ä', 'a\n', 5, null]],
    ['type', ['', 'x'.repeat(256), 'ä'.repeat(128), 'a\nb', 'a\0', '\ud800', 5, null]],
    ['routingKey', ['x'.repeat(256), 'a\tb', 5, null]],
    ['key', ['', 'x'.repeat(256), 'a\0', '\udc00a', 5, null, { a: 1 }]],
    ['correlationId', ['', 'x'.repeat(256), 'a\nb', 5, null]],
    ['causationId', ['', 'x'.repeat(256), 'a\u0085', 5, null]],
    ['replyTo', ['', 'orders', 'inbox/1', 'inbox/0195B2C1-0000-7000-8000-000000000000', 5, null]],
    ['time', [-1, Number.NaN, Infinity, new Date(Number.NaN), '2026-01-01', null, 9e15]],
    ['expiresAt', [-1, Number.NaN, Infinity, new Date(Number.NaN), '2026-01-01', null]],
    ['priority', [-1, 10, 1.5, Number.NaN, '5', null]],
    ['delayMs', [-1, Number.NaN, Infinity, '1000', null, 5n]],
  ])('refuses an impossible %s', (field, values) => {
    for (const value of values) {
      const error = refusal({ data: 1, [field]: value })
      expect(error.code).toBe('POSTHORN_INVALID_MESSAGE')
      expect(error.message).toContain(`The message's ${field} must be`)
    }
  })

  test('names the value and what to give instead', () => {
    expect(refusal({ data: 1, priority: 12 }).message).toBe(
      "The message's priority must be a whole number from 0 (lowest) to 9, but is 12.",
    )
  })

  test('takes the longest texts and the largest and smallest numbers that there may be', () => {
    expect(
      prepare('orders', { data: 1, priority: 0, time: 0, expiresAt: 8_640_000_000_000_000 }),
    ).toMatchObject({
      priority: 0,
      time: 0,
      expiresAt: 8_640_000_000_000_000,
    })
    const longest = {
      id: 'i'.repeat(128),
      type: 't'.repeat(255),
      key: 'ä'.repeat(255),
      routingKey: '',
      correlationId: 'c'.repeat(255),
    }

    expect(prepare('orders', { data: 1, ...longest })).toMatchObject(longest)
  })

  test.each<unknown>([undefined, null, 5, 'text'])('refuses %j as a message', (message) => {
    expect(refusal(message)).toMatchObject({
      code: 'POSTHORN_INVALID_MESSAGE',
      message: expect.stringContaining('The message must be an object with `data`') as unknown,
    })
  })

  test('refuses a field that messages do not have, and suggests the one that was meant', () => {
    expect(refusal({ data: 1, delay: 5 }).message).toContain('has no field "delay". Did you mean "delayMs"?')
    expect(refusal({ data: 1, timeoutMs: 5 })).toMatchObject({ code: 'POSTHORN_INVALID_MESSAGE' })
    expect(refusal({ data: 1, x: 5 }).message).toContain('Its fields: data, id, type,')
    expect(refusal([1]).message).toContain('has no field "0"')
  })
})

describe('encoding in a message', () => {
  test('refuses data that cannot be encoded, and a message without data', () => {
    expect(refusal({ data: { total: 5n } })).toMatchObject({ code: 'POSTHORN_INVALID_DATA' })
    expect(refusal({ type: 'order.created' })).toMatchObject({ code: 'POSTHORN_INVALID_DATA' })
  })

  test("tells the failure of somebody's own codec as invalid data", () => {
    const cause = new TypeError('no schema')
    const codec: Codec = {
      encode() {
        throw cause
      },
      decode: () => undefined,
    }

    expect(refusal({ data: 1 }, createPreparer({ codec }))).toMatchObject({
      code: 'POSTHORN_INVALID_DATA',
      message: 'no schema',
      cause,
    })
  })

  test.each<[unknown]>([
    [undefined],
    [{}],
    [{ body: 'text', contentType: 'a' }],
    [{ body: new Uint8Array() }],
  ])('refuses what is no encoded body: %j', (encoded) => {
    const codec = { encode: () => encoded, decode: () => undefined } as unknown as Codec

    expect(refusal({ data: 1 }, createPreparer({ codec }))).toMatchObject({
      code: 'POSTHORN_INVALID_DATA',
      message: expect.stringContaining('The codec') as unknown,
    })
  })
})

describe("the broker's limits", () => {
  test('refuses a body that is larger, naming both sizes', () => {
    const preparer = createPreparer({ limits: { maxBodyBytes: 10 } })

    expect(preparer('orders', { data: 'x'.repeat(8) }).body).toHaveLength(10)
    expect(refusal({ data: 'x'.repeat(9) }, preparer)).toMatchObject({
      code: 'POSTHORN_BODY_TOO_LARGE',
      message: expect.stringMatching(/11 bytes.* tinymq takes 10/) as unknown,
    })
  })

  test('refuses headers that are larger together, naming both sizes', () => {
    const preparer = createPreparer({ limits: { maxHeaderBytes: 10 } })

    expect(preparer('orders', { data: 1, headers: { abc: 'x', de: 'ää' } }).headers).toHaveProperty('de')
    expect(refusal({ data: 1, headers: { abc: 'xx', de: 'ää' } }, preparer)).toMatchObject({
      code: 'POSTHORN_HEADERS_TOO_LARGE',
      message: expect.stringMatching(/11 bytes.* tinymq takes 10/) as unknown,
    })
  })

  test('refuses headers that are none', () => {
    expect(refusal({ data: 1, headers: { 'posthorn-id': 'x' } })).toMatchObject({
      code: 'POSTHORN_INVALID_HEADER',
    })
  })

  test('refuses a delay where there is none, naming the broker and what to do', () => {
    const preparer = createPreparer({
      features: { delayedSend: { level: 'unsupported', alternative: 'Use a broker with delays.' } },
    })

    expect(refusal({ data: 1, delayMs: 1 }, preparer)).toMatchObject({
      code: 'POSTHORN_UNSUPPORTED',
      message:
        'A message with delayMs needs delayedSend, which tinymq 1.2 does not have. Instead: Use a broker with delays.',
    })
    expect(preparer('orders', { data: 1, delayMs: 0 }).notBefore).toBeUndefined()
    expect(refusal({ data: 1, delayMs: -1 }, preparer).code).toBe('POSTHORN_INVALID_MESSAGE')
  })

  test('refuses a delay past the longest one, naming both', () => {
    const preparer = createPreparer({
      features: { delayedSend: { level: 'native', limits: { maxMs: 900_000 } } },
    })

    expect(preparer('orders', { data: 1, delayMs: 900_000 }).notBefore).toBe(now + 900_000)
    expect(refusal({ data: 1, delayMs: 900_001 }, preparer)).toMatchObject({
      code: 'POSTHORN_UNSUPPORTED',
      message: expect.stringMatching(/900001 ms.*tinymq 1.2.*900000 ms/) as unknown,
    })
  })

  test('refuses a priority where there is none', () => {
    const preparer = createPreparer({ features: { priority: { level: 'unsupported' } } })

    expect(refusal({ data: 1, priority: 4 }, preparer)).toMatchObject({
      code: 'POSTHORN_UNSUPPORTED',
      message: 'A message with a priority needs priority, which tinymq 1.2 does not have.',
    })
    expect(refusal({ data: 1, priority: 40 }, preparer).code).toBe('POSTHORN_INVALID_MESSAGE')
  })

  test('refuses before an id is made or the clock is needed for one', () => {
    const createId = vi.fn<() => string>(() => 'id')
    const preparer = createMessagePreparer({
      codec: jsonCodec,
      clock: createVirtualClock(),
      createId,
      broker: () => ({ name: 'tinymq', version: '1.2', capabilities: createCapabilities({}, {}) }),
    })
    refusal({ data: undefined }, preparer)

    expect(createId).not.toHaveBeenCalled()
  })
})
