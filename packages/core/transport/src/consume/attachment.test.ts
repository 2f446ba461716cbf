import { describe, expect, test } from 'vitest'
import type { DriverConsumer, Scope } from '../contract/driver.ts'
import { PosthornError } from '../errors.ts'
import { Attachment } from './attachment.ts'
import type { HeldScope } from './held-scope.ts'

const lost = new PosthornError('POSTHORN_CONNECTION_LOST', 'gone')

function create(): {
  attachment: Attachment
  log: string[]
  held: HeldScope[]
  windows: [string, number][]
  consumer: DriverConsumer
  letGo: () => void
} {
  const log: string[] = []
  const held: HeldScope[] = []
  const windows: [string, number][] = []
  let letGo = (): void => undefined
  const attachment = new Attachment(
    {
      scopeAssigned: (scope) => {
        held.push(scope)
        log.push(`assigned ${scope.scope.name}`)
        scope.window = 5
        return 5
      },
      delivered: (scope, deliveries) => log.push(`delivered ${deliveries.length} of ${scope.scope.name}`),
      scopeRevoked: (scope) => {
        log.push(`revoked ${scope.scope.name}`)
        return new Promise((resolve) => {
          letGo = resolve
        })
      },
      scopeLost: (scope) => log.push(`lost ${scope.scope.name}`),
      started: () => log.push('started'),
    },
    3,
  )
  const consumer = {
    window: (scope: Scope, size: number) => windows.push([scope.name, size]),
  } as unknown as DriverConsumer
  return { attachment, log, held, windows, consumer, letGo: () => letGo() }
}

const [one, other]: [Scope, Scope] = [{ name: 'one' }, { name: 'other' }]

describe('Attachment', () => {
  test('knows the consumer of a scope that was assigned before the driver had answered', () => {
    const { attachment, held, windows, consumer } = create()
    expect(attachment.sink.assigned(one)).toBe(5)
    expect(held[0]?.consumer).toBeUndefined()
    attachment.started(consumer)
    attachment.sink.assigned(other)
    expect(held.map((scope) => scope.consumer)).toEqual([consumer, consumer])
    expect(windows).toEqual([['one', 5]])
  })

  test('hears nothing of scopes that it does not hold', async () => {
    const { attachment, log } = create()
    attachment.sink.deliver(one, [])
    attachment.sink.lost(one, lost)
    await attachment.sink.revoke(one, 1_000)
    expect(log).toEqual([])
  })

  test('takes what is lost while it is given back as lost, once', async () => {
    const { attachment, log, letGo } = create()
    attachment.sink.assigned(one)
    const revoked = attachment.sink.revoke(one, 1_000)
    attachment.sink.lost(one, lost)
    attachment.sink.lost(one, lost)
    letGo()
    await revoked
    attachment.void(lost)
    expect(log).toEqual(['assigned one', 'revoked one', 'lost one'])
  })

  test('is void for good', () => {
    const { attachment, log } = create()
    attachment.sink.assigned(one)
    attachment.sink.assigned(other)
    attachment.void(lost)
    attachment.void(lost)
    expect(attachment.sink.assigned({ name: 'late' })).toBe(0)
    attachment.sink.deliver(one, [])
    expect(log).toEqual(['assigned one', 'assigned other', 'lost one', 'lost other'])
  })
})
