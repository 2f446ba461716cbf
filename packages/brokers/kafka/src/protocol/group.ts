import type { KafkaRequest } from './request.ts'
import type { NodeAddress } from '../client/kafka-client.ts'
import type { Membership } from './offsets.ts'

export function findCoordinator(
  group: string,
): KafkaRequest<NodeAddress & { readonly error: number; readonly message: string }> {
  return {
    api: 10,
    version: 2,
    name: 'FindCoordinator',
    write: (writer) => void writer.string(group).int8(0),
    read(reader) {
      reader.skip(4)
      const error = reader.int16()
      const message = reader.nullableString() ?? ''
      reader.skip(4)
      return { error, message, host: reader.string(), port: reader.int32() }
    },
  }
}

export interface JoinOptions {
  readonly group: string
  readonly memberId: string
  readonly sessionTimeoutMs: number
  /** How long the others wait for a member to join again. */
  readonly rebalanceTimeoutMs: number
  readonly protocol: string
  /** What the leader is told of this member. */
  readonly metadata: Uint8Array
}

export interface Joined extends Membership {
  readonly error: number
  readonly leaderId: string
  /** For the leader only. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

export function joinGroup(options: JoinOptions): KafkaRequest<Joined> {
  return {
    api: 11,
    version: 5,
    name: 'JoinGroup',
    write(writer) {
      writer.string(options.group).int32(options.sessionTimeoutMs).int32(options.rebalanceTimeoutMs)
      writer.string(options.memberId).nullableString(undefined).string('consumer')
      writer.int32(1).string(options.protocol).sized(options.metadata)
    },
    read(reader) {
      reader.skip(4)
      const error = reader.int16()
      const generation = reader.int32()
      reader.nullableString()
      const leaderId = reader.string()
      const memberId = reader.string()
      const members = reader.array(() => {
        const id = reader.string()
        reader.nullableString()
        return { memberId: id, metadata: reader.sized() }
      })
      return { error, generation, leaderId, memberId, members }
    },
  }
}

export function syncGroup(
  group: string,
  { generation, memberId }: Membership,
  assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[],
): KafkaRequest<{ readonly error: number; readonly assignment: Buffer }> {
  return {
    api: 14,
    version: 3,
    name: 'SyncGroup',
    write(writer) {
      writer.string(group).int32(generation).string(memberId).nullableString(undefined)
      writer.array(assignments, (one) => writer.string(one.memberId).sized(one.assignment))
    },
    read(reader) {
      reader.skip(4)
      return { error: reader.int16(), assignment: reader.sized() }
    },
  }
}

export function heartbeat(
  group: string,
  { generation, memberId }: Membership,
): KafkaRequest<{ readonly error: number }> {
  return {
    api: 12,
    version: 3,
    name: 'Heartbeat',
    write: (writer) => void writer.string(group).int32(generation).string(memberId).nullableString(undefined),
    read(reader) {
      reader.skip(4)
      return { error: reader.int16() }
    },
  }
}

export function leaveGroup(group: string, memberId: string): KafkaRequest<{ readonly error: number }> {
  return {
    api: 13,
    version: 2,
    name: 'LeaveGroup',
    write: (writer) => void writer.string(group).string(memberId),
    read(reader) {
      reader.skip(4)
      return { error: reader.int16() }
    },
  }
}
