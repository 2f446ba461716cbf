export { rabbitmq } from './rabbitmq.ts'
export type { RabbitmqNative } from './connection.ts'
export type { RabbitmqOptions, TlsOptions } from './options.ts'
