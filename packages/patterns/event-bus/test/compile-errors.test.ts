import { expect, test } from 'vitest'
import { compile } from './compile.ts'

test('the compiler says what does not survive JSON, and where', { timeout: 60_000 }, async () => {
  const { output } = await compile(`
    declare const transport: Transport
    createEventBus<{ 'order.created': { paid?: { at: string | Date }[] } }>(transport, 'events')
    createEventBus<{ 'order.created': { byName: Map<string, number> } }>(transport, 'events')
    createEventBus<{ 'order.created': { done: () => void } }>(transport, 'events')
    createEventBus<{ 'order.created': { total: bigint } }>(transport, 'events')
  `)
  expect(output).toContain('A Date arrives as a string: use string, and send date.toISOString()')
  expect(output).toContain('A Map is not JSON: use an object, and send Object.fromEntries(map)')
  expect(output).toContain('A function is not JSON: leave it out')
  expect(output).toContain('A bigint is not JSON: use string, and send String(value)')
})
