import { beforeEach, describe, expect, test } from 'vitest'
import { wireMessage } from '../../test/wire-message.ts'
import type { DeadLetterDecision, DeadLetterEntry, SettleOutcome } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { jsonCodec } from '../codec/json-codec.ts'
import { describeCapabilities } from '../memory/capabilities.ts'
import { memoryDefaults } from '../memory/options.ts'
import { createMessagePreparer } from '../message/prepare-message.ts'
import { createDeadLetterTools } from './dead-letter-tools.ts'
import type { DeadLetter, DeadLetterEdit, PassReport } from '../contract/dead-letter-tools.ts'

const clock = createVirtualClock()
const lost = new PosthornError('POSTHORN_DEAD_LETTERS_LOST', 'The pass is not ours any more.')

let letters: DeadLetterEntry[]
let reads: number[]
let decided: string[]
let messages: WireMessage[]
let opened: (string | undefined)[]
let closes: number
let onRead: () => void
let onDecide: (item: DeadLetterDecision) => SettleOutcome
let onClose: () => Promise<string | undefined>

beforeEach(() => {
  letters = Array.from({ length: 250 }, (_, index) => letter(`e${index}`))
  decided = []
  reads = []
  messages = []
  opened = []
  closes = 0
  onRead = () => {}
  onDecide = () => 'confirmed'
  onClose = () => Promise.resolve(undefined)
})

function letter(entryId: string, changed: Partial<WireMessage> = {}): DeadLetterEntry {
  return {
    entryId,
    token: undefined,
    message: wireMessage(`id of ${entryId}`, 10, changed),
    record: {
      source: 'orders',
      group: undefined,
      reason: 'attempts-exhausted',
      error: { name: 'TypeError', message: 'no', code: undefined },
      attempts: 5,
      deliveries: 6,
      firstFailedAt: 1,
      lastFailedAt: 2,
      deadLetteredAt: 3,
      handler: 'charge',
    },
  }
}

const tools = createDeadLetterTools({
  clock,
  name: 'orders',
  destination: 'orders',
  prepare: createMessagePreparer({
    codec: jsonCodec,
    clock,
    createId: () => 'made up',
    broker: () => ({ name: 'memory', version: '1', capabilities: describeCapabilities(memoryDefaults) }),
  }),
  count: () => Promise.resolve(letters.length),
  open: (cursor) => {
    opened.push(cursor)
    let position = 0
    return Promise.resolve({
      read: async (max) => {
        onRead()
        reads.push(max)
        const page = letters.slice(position, position + max)
        position += page.length
        return page
      },
      decide: async (items) =>
        items.map((item) => {
          decided.push(`${item.decision} ${item.entry.entryId}`)
          messages.push(item.message)
          return onDecide(item)
        }),
      close: () => {
        closes++
        return onClose()
      },
    })
  },
})

const invalid = expect.objectContaining({ code: 'POSTHORN_INVALID_OPTION' }) as Error

describe('a pass', () => {
  test('decides on every entry, oldest first, and counts what became of them', async () => {
    const report = await tools.pass(({ entryId }) =>
      entryId.endsWith('7') ? 'replay' : entryId.endsWith('3') ? 'discard' : 'keep',
    )
    expect(report).toEqual({ kept: 200, replayed: 25, discarded: 25, failed: 0 })
    expect(decided).toHaveLength(250)
    expect(decided.slice(0, 4)).toEqual(['keep e0', 'keep e1', 'keep e2', 'discard e3'])
    expect(closes).toBe(1)
  })

  test('carries decisions out as many at a time as it is told', async () => {
    letters = letters.slice(0, 5)
    const log: string[] = []
    onDecide = ({ entry }) => {
      log.push(`did ${entry.entryId}`)
      return 'confirmed'
    }
    await tools.pass(
      ({ entryId }) => {
        log.push(`decided ${entryId}`)
        return 'replay'
      },
      { atATime: 2 },
    )
    expect(reads).toEqual([2, 2, 2, 2])
    expect(log.slice(0, 6)).toEqual([
      'decided e0',
      'decided e1',
      'did e0',
      'did e1',
      'decided e2',
      'decided e3',
    ])
    await expect(tools.pass(() => 'keep', { atATime: 0 })).rejects.toEqual(invalid)
    await expect(tools.pass(() => 'keep', { atATime: 101 })).rejects.toEqual(invalid)
  })

  test('shows each entry whole, in copies', async () => {
    letters = [letter('e0', { headers: { tenant: 'a' }, replays: 2, key: 'k' })]
    const seen: DeadLetter[] = []
    await tools.pass((entry) => {
      seen.push(entry)
      entry.body.fill(1)
      ;(entry.headers as Record<string, string>)['tenant'] = 'b'
      return 'keep'
    })
    expect(seen[0]).toMatchObject({
      entryId: 'e0',
      id: 'id of e0',
      key: 'k',
      replays: 2,
      source: 'orders',
      attempts: 5,
      handler: 'charge',
    })
    expect(Object.getPrototypeOf(seen[0]?.headers)).toBeNull()
    expect(letters[0]?.message).toMatchObject({ body: new Uint8Array(10), headers: { tenant: 'a' } })
  })

  test('replays a message as new, with its id and one more replay', async () => {
    letters = [
      letter('e0', {
        attempt: 5,
        releases: 3,
        replays: 1,
        notBefore: 9,
        firstFailedAt: 1,
        lastFailedAt: 2,
        lastError: 'no',
      }),
    ]
    let replayed: WireMessage | undefined
    onDecide = ({ message }) => {
      replayed = message
      return 'confirmed'
    }
    await tools.replay('all')
    expect(replayed).toEqual(wireMessage('id of e0', 10, { replays: 2 }))
  })

  test('does not replay what has expired: it would be gone without being handled', async () => {
    letters = [letter('e0', { expiresAt: clock.now() }), letter('e1', { expiresAt: clock.now() + 1 })]
    expect(await tools.replay('all')).toEqual({ kept: 0, replayed: 1, discarded: 0, failed: 1 })
    expect(await tools.discard(['e0'])).toMatchObject({ discarded: 1 })
    expect(decided).toEqual(['replay e1', 'discard e0'])
  })

  test('counts what could not be carried out', async () => {
    const outcomes: SettleOutcome[] = ['sent', 'lost', lost]
    letters = letters.slice(0, 3)
    onDecide = () => outcomes.shift()!
    expect(await tools.discard('all')).toEqual({ kept: 0, replayed: 0, discarded: 1, failed: 2 })
  })

  test('carries out what was decided before the callback threw, and rejects with its error', async () => {
    const broken = new Error('no decision')
    const deciding = tools.pass(({ entryId }) => {
      if (entryId === 'e102') throw broken
      return Promise.resolve('discard' as const)
    })
    await expect(deciding).rejects.toBe(broken)
    expect(decided).toHaveLength(102)
    expect(closes).toBe(1)
  })

  test('rejects what is no decision, naming the entry', async () => {
    await expect(tools.pass(() => 'drop' as never)).rejects.toThrow('got "drop". Nothing was done about e0')
    await expect(tools.pass(() => undefined as never)).rejects.toThrow(invalid)
    await expect(tools.pass('discard' as never)).rejects.toThrow(invalid)
    expect(decided).toEqual([])
    expect(opened).toHaveLength(2)
  })

  test('tells the first error where carrying out fails as well', async () => {
    onDecide = () => {
      throw lost
    }
    const broken = new Error('no decision')
    let calls = 0
    const deciding = tools.pass(() => {
      if (calls++ === 1) throw broken
      return 'keep'
    })
    await expect(deciding).rejects.toBe(broken)
    expect(closes).toBe(1)
  })

  test('ends with the error of the driver, and gives the pass back', async () => {
    onRead = () => {
      if (decided.length > 0) throw lost
    }
    await expect(tools.pass(() => 'keep')).rejects.toBe(lost)
    expect(closes).toBe(1)
  })

  test('that cannot be given back has done its work', async () => {
    onClose = () => Promise.reject(lost)
    expect(await tools.discard('all')).toMatchObject({ discarded: 250 })
  })

  test('ends after the entry at hand when its signal aborts', async () => {
    const abort = new AbortController()
    const report = await tools.pass(
      ({ entryId }) => {
        if (entryId === 'e4') abort.abort()
        return 'discard'
      },
      { signal: abort.signal },
    )
    expect(report).toEqual({ kept: 0, replayed: 0, discarded: 5, failed: 0 })
    expect(closes).toBe(1)
  })

  test('does not begin when its signal is aborted already', async () => {
    expect(await tools.pass(() => 'discard', { signal: AbortSignal.abort() })).toEqual({
      kept: 0,
      replayed: 0,
      discarded: 0,
      failed: 0,
    })
    expect(opened).toEqual([])
  })

  test('refuses options that it does not know', async () => {
    await expect(tools.pass(() => 'keep', { limit: 5 } as never)).rejects.toThrow(
      'deadLetters("orders").pass has no option "limit"',
    )
    await expect(tools.replay('all', { signal: 5 } as never)).rejects.toThrow(
      'deadLetters("orders").replay.signal',
    )
  })
})

describe('chosen entries', () => {
  test('are found wherever they are, and nothing is read beyond the last of them', async () => {
    let reads = 0
    onRead = () => void reads++
    expect(await tools.replay(['e3', 'e120'])).toEqual({ kept: 119, replayed: 2, discarded: 0, failed: 0 })
    expect(decided.at(-1)).toBe('replay e120')
    expect(reads).toBe(2)
  })

  test('that do not exist leave everything as it is', async () => {
    expect(await tools.discard(['nobody'])).toEqual({ kept: 250, replayed: 0, discarded: 0, failed: 0 })
  })

  test('that are none need no pass', async () => {
    expect(await tools.discard([])).toEqual({ kept: 0, replayed: 0, discarded: 0, failed: 0 })
    expect(opened).toEqual([])
  })

  test.each([[5], ['e1'], [undefined], [[5]], [{ 0: 'e1' }]])('given as %o are refused', async (ids) => {
    await expect(tools.discard(ids as never)).rejects.toThrow(invalid)
    expect(opened).toEqual([])
  })
})

describe('a page', () => {
  test('shows entries without changing them, and where the next begins', async () => {
    onClose = () => Promise.resolve('position 50')
    const page = await tools.page()
    expect(page.entries).toHaveLength(50)
    expect(page.cursor).toBe('position 50')
    expect(new Set(decided.map((one) => one.split(' ')[0]))).toEqual(new Set(['keep']))
    await tools.page({ limit: 7, cursor: 'position 50' })
    expect(opened).toEqual([undefined, 'position 50'])
    expect(decided).toHaveLength(57)
  })

  test('that cannot be read gives the pass back', async () => {
    onRead = () => {
      throw lost
    }
    onClose = () => Promise.reject(new Error('also broken'))
    await expect(tools.page()).rejects.toBe(lost)
    expect(closes).toBe(1)
  })

  test('does not end in "no more" where it is not known', async () => {
    onClose = () => Promise.reject(lost)
    await expect(tools.page()).rejects.toBe(lost)
  })

  test.each([{ limit: 0 }, { limit: 1.5 }, { limit: 10_001 }, { cursor: 5 }, { cursor: '' }])(
    'refuses %o',
    async (options) => {
      await expect(tools.page(options as never)).rejects.toThrow(invalid)
      expect(opened).toEqual([])
    },
  )
})

test('they are counted', async () => {
  expect(await tools.count()).toBe(250)
})

describe('an edit', () => {
  const old = { key: 'k', priority: 7, replyTo: 'inbox', replays: 2, headers: { tenant: 'a' }, attempt: 9 }
  const edit = (changes: DeadLetterEdit['edit']): Promise<PassReport> => tools.pass(() => ({ edit: changes }))

  test('is replayed with its changes, all else as it was, and names what it was made of', async () => {
    letters = [letter('e0', old)]
    const report = await edit({ id: 'new', data: { fixed: true }, headers: { by: 'me' } })
    expect(report).toEqual({ kept: 0, replayed: 1, discarded: 0, failed: 0 })
    expect(decided).toEqual(['replay e0'])
    expect(messages[0]).toEqual({
      ...letters[0]?.message,
      id: 'new',
      body: Buffer.from('{"fixed":true}'),
      contentType: 'application/json',
      headers: { by: 'me' },
      causationId: 'id of e0',
      attempt: 1,
      replays: 3,
    })
  })

  test('leaves the bytes alone where it gives no data', async () => {
    letters = [letter('e0', { contentType: 'text/csv' })]
    await edit({ id: 'new', type: 'order.fixed', causationId: 'ticket-7', expiresAt: clock.now() + 1_000 })
    const { body } = letters[0]!.message
    expect(messages[0]).toMatchObject({
      body,
      contentType: 'text/csv',
      type: 'order.fixed',
      causationId: 'ticket-7',
      expiresAt: clock.now() + 1_000,
    })
  })

  test('may lift an expiry that keeps the message from being replayed', async () => {
    letters = [letter('e0', { expiresAt: 1 })]
    expect(await edit({ id: 'new' })).toMatchObject({ replayed: 0, failed: 1 })
    expect(await edit({ id: 'new', expiresAt: clock.now() + 5 })).toMatchObject({ replayed: 1, failed: 0 })
  })

  test.each<[string, unknown, string]>([
    ['the same id', { id: 'id of e0', data: 1 }, 'another id'],
    ['no id', { data: 1 }, 'another id'],
    ['a delay', { id: 'new', delayMs: 5 }, 'without delayMs'],
    ['a field that does not exist', { id: 'new', dat: 1 }, '"dat"'],
    ['data that cannot be encoded', { id: 'new', data: { at: 5n } }, 'BigInt'],
    ['a reserved header', { id: 'new', headers: { 'posthorn-x': '1' } }, 'posthorn-x'],
    ['nothing', null, 'an object'],
  ])('with %s is refused, and the entry kept', async (_, changes, named) => {
    letters = [letter('e0'), letter('e1')]
    await expect(edit(changes as DeadLetterEdit['edit'])).rejects.toThrow(named)
    expect([decided, closes]).toEqual([[], 1])
  })
})
