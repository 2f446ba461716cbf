import { missing } from './errors.ts'
import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'
import type { Connection } from './connection.ts'
import type { BrokerParts } from './parts.ts'
import type { Processes } from './processes.ts'
import type { Queue } from './queue.ts'
import type { ErrorCode } from '../error-codes.ts'

/**
 * What can go wrong, for tests. Sources are named as on the broker: `orders`, or `events/billing` for a group. Numbers
 * add up: `duplicate(1)` twice is `duplicate(2)`.
 */
export interface MemoryFaults {
  /** Connections of this name are lost, or all: their deliveries go back, and they are told. */
  cut(name?: string): void
  /** From now on connecting fails: in a way that may pass, or with `fatal` for good (as a wrong password does). */
  refuse(on: boolean, options?: { readonly fatal?: boolean }): void
  /**
   * The process of this name is killed, connected or not: as `cut`, but it hears nothing and can do nothing more, not even
   * connect again. Drivers and transports that are given the name afterwards are a new process.
   */
  crash(name: string): void
  /** The next `count` messages are stored, and answered `unknown`. */
  loseConfirmations(count: number): void
  /** The next `count` messages are refused. Default code: `POSTHORN_BROKER_ERROR`. */
  rejectPublishes(count: number, code?: ErrorCode): void
  /** The next `count` messages are stored twice. */
  duplicate(count: number): void
  /** The next `count` messages that are ready are handed out in another order, which the clock's random numbers choose. */
  reorder(count: number): void
  /** The source hands out nothing while everything looks healthy. */
  stall(source: string, on: boolean): void
  /** Takes no messages, and says why, until called with `undefined`. */
  block(reason: string | undefined): void
  /**
   * Connections of this name, or all, do not reach the broker for now, and say why: nothing comes through in either
   * direction until called with `undefined`. What they hold stays theirs while its leases last.
   */
  interrupt(reason: string | undefined, name?: string): void
  /** Takes no messages and says nothing; what was sent meanwhile is stored and answered when it ends. */
  freezePublishes(on: boolean): void
  /** Asks the consumers of a source for their scopes, and hands them out again. */
  revoke(source: string): void
  /** The next `count` dead letters cannot be written; the messages stay where they are. */
  failDeadLetters(count: number): void
  /** The next `count` settlements fail; the deliveries stay with their consumers. */
  failSettlements(count: number): void
  /** What consumers of the source hold is taken from them. With leases of sessions they are told, otherwise not. */
  dropLeases(source: string): void
  /** The consumers of a source are ended, while their connections live on. */
  endConsumers(source: string): void
  /** A queue or group is deleted, with its messages and consumers; its dead letters stay. */
  loseDeclared(source: string): void
}

export function createFaults(
  parts: BrokerParts,
  connections: ReadonlySet<Connection>,
  processes: Processes,
): MemoryFaults {
  const state = parts.faults
  const find = (source: string): Queue => {
    const queue = parts.queues.get(source)
    if (queue === undefined) throw missing(`source "${source}"`)
    return queue
  }
  const named = (name: string | undefined): Connection[] =>
    [...connections].filter((connection) => name === undefined || connection.name === name)
  return {
    cut(name) {
      for (const connection of named(name)) connection.lose('it was cut (a fault asked for by a test)', true)
    },
    refuse(on, { fatal = false } = {}) {
      state.refusesConnections = on
      state.refusesForGood = fatal
    },
    crash(name) {
      processes.kill(name)
      for (const connection of named(name))
        connection.lose('its process was killed (a fault asked for by a test)', false)
    },
    loseConfirmations(count) {
      state.confirmations += counted('loseConfirmations', count)
    },
    rejectPublishes(count, code = 'POSTHORN_BROKER_ERROR') {
      state.rejections += counted('rejectPublishes', count)
      state.rejectionCode = code
    },
    duplicate(count) {
      state.duplicates += counted('duplicate', count)
    },
    reorder(count) {
      state.reorder += counted('reorder', count)
    },
    stall(source, on) {
      if (on) state.stalled.add(source)
      else state.stalled.delete(source)
      for (const line of parts.queues.get(source)?.lines ?? []) line.wake()
    },
    block(reason) {
      state.blocked = reason
      for (const connection of connections) connection.block(reason)
    },
    interrupt(reason, name) {
      for (const connection of named(name)) connection.interrupt(reason)
    },
    freezePublishes(on) {
      state.frozen = on
      for (const connection of connections) connection.resume()
    },
    revoke(source) {
      const { sharing } = find(source)
      for (const consumer of sharing.consumers) void consumer.giveUpAll()
    },
    failDeadLetters(count) {
      state.deadLetters += counted('failDeadLetters', count)
    },
    failSettlements(count) {
      state.settlements += counted('failSettlements', count)
    },
    dropLeases(source) {
      for (const consumer of find(source).sharing.consumers) consumer.dropLeases()
    },
    endConsumers(source) {
      for (const consumer of find(source).sharing.consumers) consumer.kill('a fault asked for by a test')
    },
    loseDeclared(source) {
      const queue = find(source)
      const consumers = [...queue.sharing.consumers]
      queue.destroy()
      for (const consumer of consumers) consumer.kill('its queue was deleted')
    },
  }
}

/** Of another number nothing would happen, and a test would try nothing. */
function counted(fault: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 0) return count
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `${fault}() takes a whole number from 0, and got ${showValue(count)}.`,
    { phase: 'options' },
  )
}
