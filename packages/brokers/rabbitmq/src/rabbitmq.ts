import { createTransport, type Transport } from '@posthorn/transport'
import { createRabbitmqDriver } from './driver.ts'
import { readOptions, type RabbitmqOptions } from './options.ts'
import type { RabbitmqNative } from './connection.ts'

/**
 * Connects to RabbitMQ, 3.10 or later. Rejects when the options cannot work, when the server refuses user or virtual
 * host, or when no connection comes up within `connectTimeoutMs`.
 */
export async function rabbitmq(options: RabbitmqOptions): Promise<Transport<RabbitmqNative>> {
  const { settings, transport } = readOptions(options)
  return createTransport(createRabbitmqDriver(settings), transport)
}
