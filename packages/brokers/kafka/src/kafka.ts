import { createTransport, type Transport } from '@posthorn/transport'
import { createKafkaDriver } from './driver.ts'
import { readOptions, type KafkaOptions } from './options.ts'
import type { Kafka } from 'kafkajs'

/**
 * Connects to Kafka, 3.9 or later. Rejects when the options cannot work, when the login is refused, or when no connection
 * comes up within `connectTimeoutMs`.
 */
export async function kafka(options: KafkaOptions): Promise<Transport<Kafka>> {
  const { settings, transport } = readOptions(options)
  return createTransport(createKafkaDriver(settings), transport)
}
