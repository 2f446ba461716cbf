import { PosthornError, transportRules } from '@posthorn/transport/driver'
import { optionRules } from '@posthorn/transport/options'
import { parseUrl, type BrokerUrl } from './broker-url.ts'
import type { TransportOptions } from '@posthorn/transport'
import type { Kafka } from 'kafkajs'
import type { ConnectionOptions } from 'node:tls'

/** Certificates and keys, as of `node:tls`. */
export type TlsOptions = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'servername'
  | 'rejectUnauthorized'
  | 'minVersion'
  | 'ciphers'
>

export interface KafkaOptions extends TransportOptions {
  /** `kafka://host:9092,host:9092`, with `user:password@` for SASL. Either this or `kafka`. */
  readonly url?: string
  /** An instance of kafkajs, for what `url` cannot say; its connections, logins and logs are used, nothing else of it. */
  readonly kafka?: Kafka
  /** Connects by TLS: `true`, or options. */
  readonly tls?: boolean | TlsOptions
  /** How user and password of the URL are shown. Default `plain`. */
  readonly sasl?: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  /** How many partitions queues and topics get that are made here. Default 4. */
  readonly partitions?: number
  /** How many copies of them. Default: what the brokers have as `default.replication.factor`. */
  readonly replicas?: number
  /** Milliseconds without a heartbeat after which a consumer counts as dead. Default 10,000. */
  readonly sessionTimeoutMs?: number
  /** Bytes of one body: below the brokers' `message.max.bytes`. Default 1,000,000. */
  readonly maxBodyBytes?: number
}

export const kafkaDefaults = {
  sasl: 'plain',
  partitions: 4,
  sessionTimeoutMs: 10_000,
  maxBodyBytes: 1_000_000,
} as const

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** Those of Kafka's own. */
const kafkaRules: Readonly<Record<Exclude<keyof KafkaOptions, keyof TransportOptions>, optionRules.Rule>> = {
  url: optionRules.custom('a URL such as kafka://localhost:9092', (value) => typeof value === 'string'),
  kafka: optionRules.custom('an instance of Kafka of kafkajs', isObject),
  tls: optionRules.custom('true, or TLS options', (value) => typeof value === 'boolean' || isObject(value)),
  sasl: optionRules.oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
  partitions: optionRules.wholeNumber({ min: 1, max: 1_000 }),
  replicas: optionRules.wholeNumber({ min: 1, max: 100 }),
  sessionTimeoutMs: optionRules.duration({ min: 1_000 }),
  maxBodyBytes: optionRules.wholeNumber({ min: 1 }),
}

/** What a driver needs of the options. */
export interface KafkaSettings {
  readonly client: Kafka | BrokerUrl
  readonly tls: boolean | TlsOptions
  readonly sasl: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly partitions: number
  readonly replicas: number | undefined
  readonly sessionTimeoutMs: number
  readonly maxBodyBytes: number
}

/** Checks the options and parts them into the driver's and the transport's. Throws before anything is connected. */
export function readOptions(options: KafkaOptions): {
  readonly settings: KafkaSettings
  readonly transport: TransportOptions
} {
  optionRules.checkOptions('kafka()', options, { ...transportRules, ...kafkaRules })
  const { url, kafka, tls, sasl, partitions, replicas, sessionTimeoutMs, maxBodyBytes, ...transport } =
    options
  const client = kafka ?? (url === undefined ? undefined : parseUrl(url))
  if (client === undefined || (kafka !== undefined && url !== undefined)) {
    const text =
      'kafka() takes either url, such as { url: "kafka://localhost:9092" }, or kafka, an instance of kafkajs.'
    throw new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options' })
  }
  return {
    settings: {
      client,
      tls: tls ?? false,
      sasl: sasl ?? kafkaDefaults.sasl,
      partitions: partitions ?? kafkaDefaults.partitions,
      replicas,
      sessionTimeoutMs: sessionTimeoutMs ?? kafkaDefaults.sessionTimeoutMs,
      maxBodyBytes: maxBodyBytes ?? kafkaDefaults.maxBodyBytes,
    },
    transport,
  }
}
