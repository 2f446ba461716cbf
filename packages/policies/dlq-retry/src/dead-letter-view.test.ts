import type { DeadLetter } from '@posthorn/transport'
import { expect, test } from 'vitest'
import { viewOf } from './dead-letter-view.ts'

test.each<[string, Uint8Array, unknown]>([
  ['JSON', Buffer.from('{"a":[1]}'), { a: [1] }],
  ['text', Buffer.from('a;b'), 'a;b'],
  ['nothing', Buffer.from(''), ''],
  ['bytes', Uint8Array.of(0xff, 0xfe), undefined],
])('reads a body of %s', (_, body, data) => {
  const view = viewOf({ body, id: '1' } as DeadLetter)
  expect([view.data, view.body, view.id]).toEqual([data, body, '1'])
})
