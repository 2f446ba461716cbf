import * as platformatic from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import type { KafkaOptions } from '@posthorn/kafka'
import type { KafkaSockets } from './kafka-sockets.ts'

/** Which client connects in the tests: `platformatic`, or kafkajs. */
const clientName: string = process.env['POSTHORN_KAFKA_CLIENT'] ?? 'kafkajs'

/** Connects by that client, over sockets on which requests and answers can be held, lost and changed. */
export function connectBy(brokers: readonly string[], sockets: KafkaSockets): KafkaOptions {
  if (clientName === 'platformatic') {
    return {
      url: `kafka://${brokers.join(',')}`,
      client: { ...platformatic, Connection: watchedConnection(sockets) },
    }
  }
  return {
    kafka: new Kafka({
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      clientId: 'posthorn',
      connectionTimeout: 5_000,
      socketFactory: sockets.factory,
    }),
  }
}

function watchedConnection(sockets: KafkaSockets): typeof platformatic.Connection {
  return class extends platformatic.Connection {
    override connect(
      host: string,
      port: number,
      callback?: Parameters<platformatic.Connection['connect']>[2],
    ): void | Promise<void> {
      const result = super.connect(host, sockets.isRefusing ? 1 : port, callback)
      sockets.watch(this.socket)
      return result
    }
  }
}
