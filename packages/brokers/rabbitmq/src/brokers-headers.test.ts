import { expect, test } from 'vitest'
import { keepUsersHeaders, readUsersHeaders } from './brokers-headers.ts'

test.each([
  'CC',
  'BCC',
  'x-death',
  'x-delivery-count',
  'x-acquired-count',
  'x-first-death-queue',
  'x-last-death-reason',
])('a header of the user called %s comes through, and one of a broker does not', (name) => {
  const sent = { tenant: 'a', [name]: 'mine' }
  const headers: Record<string, string> = { ...sent }
  keepUsersHeaders(headers, sent)
  expect(headers).not.toHaveProperty(name)
  expect(readUsersHeaders({ ...headers, [name]: ['theirs'] })).toEqual(sent)
})

test('leaves alone what no broker has put there', () => {
  const headers = { tenant: 'a', 'x-match': 'all', cc: 'mine', 'posthorn-header-__proto__': 'theirs' }
  const written = { ...headers }
  keepUsersHeaders(written, headers)
  expect(written).toEqual(headers)
  expect(readUsersHeaders(headers)).toBe(headers)
})
