import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExpiryQueue, type Expiring } from './expiry-queue.ts'

interface Item extends Expiring<Item> {
  readonly name: number
}

const command = fc.oneof(
  fc.record({ do: fc.constant('place' as const), name: fc.nat({ max: 12 }), at: fc.nat({ max: 50 }) }),
  fc.record({ do: fc.constant('remove' as const), name: fc.nat({ max: 12 }), at: fc.constant(0) }),
)

test('knows the first that expires, whatever was placed, moved and removed', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
      const queue = new ExpiryQueue<Item>()
      const items = new Map<number, Item>()
      for (const { do: verb, name, at } of commands) {
        const item = items.get(name) ?? {
          name,
          expiresAt: at,
          run: undefined,
          before: undefined,
          after: undefined,
        }
        if (verb === 'place') {
          item.expiresAt = at
          items.set(name, item)
          queue.place(item)
        } else if (items.delete(name)) {
          queue.remove(item)
        }
        const earliest = Math.min(...[...items.values()].map(({ expiresAt }) => expiresAt))
        expect(queue.firstExpired(earliest - 1)).toBeUndefined()
        expect(queue.firstExpired(earliest)?.expiresAt).toBe(items.size === 0 ? undefined : earliest)
      }
    }),
  )
})
