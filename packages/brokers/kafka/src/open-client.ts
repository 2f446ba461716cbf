import { PosthornError } from '@posthorn/transport/driver'
import { kafkajsClient } from './client/kafkajs-client.ts'
import { platformaticClient } from './client/platformatic-client.ts'
import type { ClientSettings } from './options.ts'
import type { KafkaClient } from './client/kafka-client.ts'
import type { Kafka, SASLOptions } from 'kafkajs'

/** Milliseconds until a node that does not answer at all is given up. */
const connectTimeoutMs = 5_000

/** By the user's own instance, or by what the URL says; then nothing is said on the console. */
export async function openClient(settings: ClientSettings): Promise<KafkaClient<Kafka | undefined>> {
  if ('kafka' in settings) return kafkajsClient(settings.kafka)
  const { url, tls, sasl, library } = settings
  const { brokers, isSecure, user } = url
  const login = user === undefined ? undefined : { username: user.name, password: user.password }
  if (library !== undefined) {
    const mechanism = sasl.toUpperCase() as 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    return platformaticClient(library, brokers, {
      connectTimeout: connectTimeoutMs,
      ...(isSecure ? { tls } : {}),
      ...(login === undefined ? {} : { sasl: { mechanism, ...login } }),
    })
  }
  const { Kafka, logLevel } = await import('kafkajs').catch((error: unknown) => {
    throw kafkajsMissing(error)
  })
  const kafka = new Kafka({
    clientId: 'posthorn',
    brokers: brokers.map(({ host, port }) => `${host}:${port}`),
    connectionTimeout: connectTimeoutMs,
    logLevel: logLevel.NOTHING,
    ...(isSecure ? { ssl: tls } : {}),
    ...(login === undefined ? {} : { sasl: { mechanism: sasl, ...login } as SASLOptions }),
  })
  return kafkajsClient(kafka, brokers)
}

function kafkajsMissing(cause: unknown): PosthornError {
  const text =
    'kafkajs, by which Kafka is connected to, could not be loaded. Install it: npm install kafkajs. Or install @platformatic/kafka and give that module as client.'
  return new PosthornError('POSTHORN_DRIVER_MISSING', text, { phase: 'connect', cause })
}
