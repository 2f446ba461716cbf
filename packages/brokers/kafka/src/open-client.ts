import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import type { KafkaSettings } from './options.ts'

/** The user's own instance, or one made from the URL, which says nothing on the console. */
export function openClient({ client, tls, sasl }: KafkaSettings): Kafka {
  if (!('brokers' in client)) return client
  const { user } = client
  const login: SASLOptions | undefined =
    user === undefined ? undefined : { mechanism: sasl, username: user.name, password: user.password }
  return new Kafka({
    clientId: 'posthorn',
    brokers: [...client.brokers],
    connectionTimeout: 5_000,
    logLevel: logLevel.NOTHING,
    ...(tls === false ? {} : { ssl: tls }),
    ...(login === undefined ? {} : { sasl: login }),
  })
}
