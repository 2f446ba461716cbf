import { PosthornError, transportRules } from '@posthorn/transport/driver'
import { optionRules } from '@posthorn/transport/options'
import { parseUrl, type BrokerUrl } from './broker-url.ts'
import { checkPart } from './names.ts'
import type { PlatformaticKafka } from './client/platformatic-kafka.ts'
import type { Compression } from './protocol/compress.ts'
import type { TransportOptions } from '@posthorn/transport'
import type { Kafka } from 'kafkajs'
import type { ConnectionOptions } from 'node:tls'

/** Certificates and keys for `kafkas:`, as of `node:tls`. */
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
  /**
   * `kafka://host:9092,host:9092`, or `kafkas:` for TLS, with `user:password@` for SASL. Either this or `kafka`. It is connected
   * to by kafkajs, unless `client` says otherwise.
   */
  readonly url?: string
  /** For `kafkas:`. */
  readonly tls?: TlsOptions
  /** How user and password of the URL are shown. Default `plain`. */
  readonly sasl?: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  /** The module `@platformatic/kafka`, or `{ Connection, Writer }` of it: connects by it instead of kafkajs. */
  readonly client?: PlatformaticKafka
  /**
   * An instance of kafkajs instead of `url`, with brokers, TLS, logins, time limits and a logger of its own; its connections are
   * used, nothing else of it.
   */
  readonly kafka?: Kafka
  /** How many partitions queues and topics get that are made here. Default 4. */
  readonly partitions?: number
  /** How many copies of them. Default: what the brokers have as `default.replication.factor`. */
  readonly replicas?: number
  /** Milliseconds without a heartbeat after which a consumer counts as dead. Default 10,000. */
  readonly sessionTimeoutMs?: number
  /**
   * What a consumer does about messages that were gone before it read them, beside the event `gap`: it goes on at the oldest
   * that is kept, or ends for good, until somebody has decided. Default `continue`.
   */
  readonly onGap?: 'continue' | 'end'
  /** Bytes of one body: below the brokers' `message.max.bytes`. Default 1,000,000. */
  readonly maxBodyBytes?: number
  /** How what is sent is compressed, a batch at a time. What is read may be compressed in any way. Default `none`. */
  readonly compression?: Compression
}

export const kafkaDefaults = {
  sasl: 'plain',
  partitions: 4,
  sessionTimeoutMs: 10_000,
  onGap: 'continue',
  maxBodyBytes: 1_000_000,
  compression: 'none',
} as const

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

function isPlatformatic(value: unknown): boolean {
  const { Connection, Writer } = (value ?? {}) as Partial<PlatformaticKafka>
  return typeof Connection === 'function' && typeof Writer === 'function'
}

function isKafkajs(value: unknown): boolean {
  return isObject(value) && typeof (value as Partial<Kafka>).consumer === 'function'
}

/** Those of Kafka's own. */
export const kafkaRules: Readonly<
  Record<Exclude<keyof KafkaOptions, keyof TransportOptions>, optionRules.Rule>
> = {
  url: optionRules.custom('a URL such as kafka://localhost:9092', (value) => typeof value === 'string'),
  tls: optionRules.custom('an object of TLS options', isObject),
  sasl: optionRules.oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
  client: optionRules.custom('the module @platformatic/kafka', isPlatformatic),
  kafka: optionRules.custom('an instance of Kafka of kafkajs', isKafkajs),
  partitions: optionRules.wholeNumber({ min: 1, max: 1_000 }),
  replicas: optionRules.wholeNumber({ min: 1, max: 100 }),
  sessionTimeoutMs: optionRules.duration({ min: 1_000, max: 2_147_483_647 }),
  onGap: optionRules.oneOf('continue', 'end'),
  maxBodyBytes: optionRules.wholeNumber({ min: 1 }),
  compression: optionRules.oneOf('none', 'gzip', 'zstd'),
}

/** By what, and to where, it is connected. */
export type ClientSettings =
  | { readonly kafka: Kafka }
  | {
      readonly url: BrokerUrl
      readonly tls: TlsOptions
      readonly sasl: NonNullable<KafkaOptions['sasl']>
      readonly library: PlatformaticKafka | undefined
    }

/** What a driver needs of the options. */
export interface KafkaSettings {
  readonly client: ClientSettings
  readonly partitions: number
  readonly replicas: number | undefined
  readonly sessionTimeoutMs: number
  readonly onGap: 'continue' | 'end'
  readonly maxBodyBytes: number
  readonly compression: Compression
}

/** Checks the options and parts them into the driver's and the transport's. Throws before anything is connected. */
export function readOptions(options: KafkaOptions): {
  readonly settings: KafkaSettings
  readonly transport: TransportOptions
} {
  optionRules.checkOptions('kafka()', options, { ...transportRules, ...kafkaRules })
  const {
    url,
    tls,
    sasl,
    client,
    kafka,
    partitions,
    replicas,
    sessionTimeoutMs,
    onGap,
    maxBodyBytes,
    compression,
    ...transport
  } = options
  checkPart(transport.namespace ?? '')
  return {
    settings: {
      client: readClient({ url, tls, sasl, client, kafka }),
      partitions: partitions ?? kafkaDefaults.partitions,
      replicas,
      sessionTimeoutMs: sessionTimeoutMs ?? kafkaDefaults.sessionTimeoutMs,
      onGap: onGap ?? kafkaDefaults.onGap,
      maxBodyBytes: maxBodyBytes ?? kafkaDefaults.maxBodyBytes,
      compression: compression ?? kafkaDefaults.compression,
    },
    transport,
  }
}

type ClientOptions = {
  readonly [Name in 'url' | 'tls' | 'sasl' | 'client' | 'kafka']: KafkaOptions[Name] | undefined
}

function readClient({ url: text, tls, sasl, client, kafka }: ClientOptions): ClientSettings {
  if ((text === undefined) === (kafka === undefined)) {
    throw invalid(
      'kafka() takes either url, such as { url: "kafka://localhost:9092" }, or kafka, an instance of kafkajs.',
    )
  }
  if (kafka !== undefined) {
    if ((tls ?? sasl ?? client) !== undefined)
      throw invalid('tls, sasl and client go with url. The instance given as kafka has its own.')
    return { kafka }
  }
  const url = parseUrl(text ?? '')
  if (tls !== undefined && !url.isSecure)
    throw invalid('tls is for a URL that begins with kafkas:. With kafka: nothing is encrypted.')
  if (sasl !== undefined && url.user === undefined)
    throw invalid('sasl needs a user and a password in the URL: kafka://user:password@host:9092.')
  return { url, tls: tls ?? {}, sasl: sasl ?? kafkaDefaults.sasl, library: client }
}

function invalid(text: string): PosthornError {
  return new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options' })
}
