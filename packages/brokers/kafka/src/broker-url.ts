import { PosthornError } from '@posthorn/transport/driver'

/** What a URL says of a cluster. */
export interface BrokerUrl {
  /** Each `host:port`. */
  readonly brokers: readonly string[]
  readonly user: { readonly name: string; readonly password: string } | undefined
}

const pattern = /^kafka:\/\/(?:([^:/@]*):([^/@]*)@)?([^/@?#]+)\/?$/
const brokerPattern = /^(\[[\da-fA-F:]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/

/** Reads `kafka://user:password@host:9092,host:9092`. */
export function parseUrl(url: string): BrokerUrl {
  const match = pattern.exec(url)
  const brokers = match?.[3]?.split(',').map((broker) => brokerPattern.exec(broker))
  if (match === null || brokers === undefined || brokers.some((broker) => broker === null)) {
    throw invalid()
  }
  const [, name, password] = match
  return {
    brokers: brokers.map((broker) => `${broker![1]!}:${broker![2] ?? '9092'}`),
    user: name === undefined ? undefined : { name: decode(name), password: decode(password ?? '') },
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid()
  }
}

/** Without the URL, which may have a password. */
function invalid(): PosthornError {
  const text =
    'The URL of Kafka cannot be read. Write it as kafka://user:password@host:9092,host:9092, percent-encoded.'
  return new PosthornError('POSTHORN_INVALID_URL', text, { phase: 'options' })
}
