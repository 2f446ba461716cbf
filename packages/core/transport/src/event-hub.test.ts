import { describe, expect, test } from 'vitest'
import type { TransportEvents } from './contract/events.ts'
import { EventHub } from './event-hub.ts'

const gap = { source: 'events/billing', scope: '0', missing: 3 }

describe('an event', () => {
  test('reaches its listeners in the order of their registration, and nobody else', () => {
    const hub = new EventHub()
    const heard: string[] = []
    hub.on('gap', ({ missing }) => heard.push(`first ${missing}`))
    hub.on('gap', ({ missing }) => heard.push(`second ${missing}`))
    hub.on('stalled', () => heard.push('other'))
    hub.emit('gap', gap)
    expect(heard).toEqual(['first 3', 'second 3'])
  })

  test('without a listener is no trouble', () => {
    const hub = new EventHub()
    hub.on('gap', () => {})()
    expect(() => hub.emit('gap', gap)).not.toThrow()
  })

  test('reaches everybody, though a listener throws or rejects', async () => {
    const hub = new EventHub()
    const heard: unknown[] = []
    const failures: TransportEvents['callbackFailed'][] = []
    hub.on('callbackFailed', (event) => void failures.push(event))
    hub.on('gap', () => {
      throw new Error('thrown')
    })
    hub.on('gap', () => Promise.reject(new Error('rejected')) as never)
    hub.on('gap', (event) => void heard.push(event))
    hub.emit('gap', gap)
    await Promise.resolve()
    expect(heard).toEqual([gap])
    expect(failures).toEqual([
      { where: 'a listener of "gap"', error: new Error('thrown') },
      { where: 'a listener of "gap"', error: new Error('rejected') },
    ])
  })

  test('whose listener for failures fails does not go round', () => {
    const hub = new EventHub()
    let calls = 0
    hub.on('callbackFailed', () => {
      calls++
      throw new Error('also broken')
    })
    hub.on('gap', () => {
      throw new Error('broken')
    })
    hub.emit('gap', gap)
    expect(calls).toBe(1)
  })
})

describe('a listener', () => {
  test('that is registered twice is called twice, and each undo undoes one', () => {
    const hub = new EventHub()
    let calls = 0
    const listener = (): void => void calls++
    const undo = hub.on('gap', listener)
    hub.on('gap', listener)
    hub.emit('gap', gap)
    expect(calls).toBe(2)
    undo()
    undo()
    hub.emit('gap', gap)
    expect(calls).toBe(3)
  })

  test('registered by a listener hears the next event, not this one', () => {
    const hub = new EventHub()
    let calls = 0
    const register = (): void => void hub.on('gap', () => void calls++)
    const undo = hub.on('gap', register)
    hub.emit('gap', gap)
    undo()
    expect(calls).toBe(0)
    hub.emit('gap', gap)
    expect(calls).toBe(1)
  })

  test('of an event that does not exist is refused, suggesting the near one', () => {
    const hub = new EventHub()
    const invalid = expect.objectContaining({ code: 'POSTHORN_INVALID_OPTION' }) as Error
    expect(() => hub.on('staled' as never, () => {})).toThrow(invalid)
    expect(() => hub.on('staled' as never, () => {})).toThrow('Did you mean "stalled"?')
    expect(() => hub.on('toString' as never, () => {})).toThrow(invalid)
    expect(() => hub.on(5 as never, () => {})).toThrow(invalid)
  })

  test('that is no function is refused', () => {
    expect(() => new EventHub().on('gap', 'log' as never)).toThrow(
      'on("gap") takes a function as its listener, and got "log"',
    )
  })
})
