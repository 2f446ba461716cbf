import { createTransport, type Transport } from '@posthorn/transport'
import { createKafkaDriver } from './driver.ts'
import { openClient } from './open-client.ts'
import { readOptions, type KafkaOptions } from './options.ts'
import type { Kafka } from 'kafkajs'

/**
 * Connects to Kafka, 3.9 or later. Rejects when the options cannot work, when the login is refused, when a certificate is
 * not trusted, or when no connection comes up within `connectTimeoutMs`.
 */
export async function kafka(
  options: KafkaOptions & Required<Pick<KafkaOptions, 'client'>>,
): Promise<Transport<undefined>>
export async function kafka(options: KafkaOptions): Promise<Transport<Kafka>>
export async function kafka(options: KafkaOptions): Promise<Transport<Kafka | undefined>> {
  const { settings, transport } = readOptions(options)
  return createTransport(createKafkaDriver(await openClient(settings.client), settings), transport)
}
