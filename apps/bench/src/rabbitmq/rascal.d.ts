/** As much of it as the bench uses; it has no types of its own, and those of others want another amqplib. */
declare module 'rascal' {
  import type { EventEmitter } from 'node:events'

  export interface RascalSubscription {
    on(event: 'message', listener: (message: unknown, content: unknown, settle: () => void) => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }

  export interface RascalBroker extends EventEmitter {
    publish(publication: string, message: Buffer): Promise<EventEmitter>
    subscribe(subscription: string): Promise<RascalSubscription>
    shutdown(): Promise<void>
  }

  const rascal: { readonly BrokerAsPromised: { create(config: object): Promise<RascalBroker> } }
  export default rascal
}
