import type { TestServer } from '../process/test-server.ts'
import type { KafkaVersion } from './find-kafka.ts'

/** A broker or a cluster; `kill`, `pause`, `resume` and `restart` go to all its nodes. */
export interface KafkaServer extends TestServer {
  /** Each `host:port`, in the order of `nodes`; `url` has them all: `kafka://127.0.0.1:1,127.0.0.1:2`. */
  readonly brokers: readonly string[]
  /** By id, from 1: `nodes[0]` is the broker with `node.id` 1. Each is broker and controller. */
  readonly nodes: readonly TestServer[]
  /** Of the further listeners, by name, each `host:port`, in the order of `nodes`. */
  readonly listeners: Readonly<Record<string, readonly string[]>>
}

/** How clients talk to a listener. */
export type KafkaProtocol = 'PLAINTEXT' | 'SASL_PLAINTEXT' | 'SSL' | 'SASL_SSL'

export interface KafkaOptions {
  /** Default: 4.3. */
  readonly version?: KafkaVersion
  /** Default: 1. Of three, topics have three replicas by default, of which two must be in sync. */
  readonly nodes?: 1 | 3
  /** More of its configuration, by key. `{folder}` in a value becomes the node's folder, which has `files`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** How clients talk to it, and the brokers among each other. Default: `PLAINTEXT`. */
  readonly protocol?: KafkaProtocol
  /** Further listeners for clients, by a name in capitals; `config` has them as `listener.name.<name in small letters>`. */
  readonly listeners?: Readonly<Record<string, KafkaProtocol>>
  /** Users of SCRAM, by name, with their passwords; there from the start. */
  readonly scramUsers?: Readonly<Record<string, string>>
  /** Files for each node, such as certificates, by name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}
