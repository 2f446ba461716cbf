import { expectTypeOf, test } from 'vitest'
import { kafka } from '../kafka.ts'
import type { PlatformaticKafka } from './platformatic-kafka.ts'
import type { Transport } from '@posthorn/transport'
import type { Kafka } from 'kafkajs'

test('the module @platformatic/kafka has what is used of it', () => {
  expectTypeOf<typeof import('@platformatic/kafka')>().toExtend<PlatformaticKafka>()
})

test('the native object is that of kafkajs, where it connects', () => {
  const client = {} as PlatformaticKafka
  const url = 'kafka://localhost'
  expectTypeOf(() => kafka({ url })).returns.resolves.toEqualTypeOf<Transport<Kafka>>()
  expectTypeOf(() => kafka({ url, client })).returns.resolves.toEqualTypeOf<Transport<undefined>>()
})
