import type { Middleware, PublishMiddleware, Transport } from '@posthorn/transport'
import { expectTypeOf, test } from 'vitest'
import { createBreaker, type BreakerStateName, type CircuitOpenError } from './index.ts'

declare const transport: Transport
const breaker = createBreaker({ name: 'bank' })

test('execute answers what the function does', () => {
  expectTypeOf(breaker.execute(() => 5)).resolves.toBeNumber()
  expectTypeOf(breaker.execute(async () => 'a')).resolves.toBeString()
  void breaker.execute(({ signal }) => fetch('http://localhost', { signal }))
})

test('its middleware is that of the transport', () => {
  expectTypeOf(breaker.consume({ types: ['a', 'b'] })).toEqualTypeOf<Middleware>()
  expectTypeOf(breaker.publish({ destinations: 'orders' })).toEqualTypeOf<PublishMiddleware>()
  void transport.consume('orders', () => {}, { use: [breaker.consume()] })
})

test('states and errors are typed', () => {
  expectTypeOf(breaker.state).toEqualTypeOf<BreakerStateName>()
  expectTypeOf<CircuitOpenError['retryAfterMs']>().toEqualTypeOf<number | undefined>()
  // @ts-expect-error It needs the name of its dependency.
  createBreaker({})
  // @ts-expect-error Times have their unit in their names.
  createBreaker({ name: 'bank', timeout: 5 })
})
