import {
  createInbox,
  createRelay,
  type InboxContext,
  type InboxOptions,
  type RelayOptions,
} from '@posthorn/idempotency'
import { sqliteStore, sqliteTransactions } from '@posthorn/store/sqlite'
import type { Store } from '@posthorn/store'
import type { Handler, Message, Transport } from '@posthorn/transport'
import type { DatabaseSync } from 'node:sqlite'
import { faultyStore } from './faulty-store.ts'
import { storeIsAway } from './planned-errors.ts'
import { createShop, dropConnection } from './shop-database.ts'
import { tasks, taskHandler } from './tasks.ts'
import type { ChainProcess } from './chain-process.ts'
import type { Form } from './form.ts'
import type { Stage } from './stage.ts'

type Database = Parameters<typeof sqliteStore>[0]
type Transaction = <Result>(work: (transaction: Database) => Promise<Result>) => Promise<Result>

type ShopInbox = Pick<InboxOptions<Database>, 'store' | 'transaction'>
type ShopContext = InboxContext<Database>
type ShopHandler = (message: Message, context: ShopContext) => Promise<unknown>

/** What a broken variant does differently. */
export interface InboxBreak {
  readonly handler?: (inbox: ShopInbox, handle: ShopHandler) => Handler
  readonly relay?: (store: Store<Database>, transport: Transport, options: RelayOptions) => void
  readonly effect?: (message: Message, context: ShopContext, database: DatabaseSync) => Promise<void>
}

/** Faults are planned here: nobody has to be warned of them. */
const planned = (): void => undefined

/** Effectively once: effect, record and outputs in one transaction, and a relay. */
export function inboxForm(stage: Stage, broken: InboxBreak = {}): Form {
  const { clock } = stage
  const open = createShop(clock)
  const own = open()
  const receipts = receiptsOf(stage)
  const connections = [own]

  return {
    open(process) {
      const database = open()
      connections.push(database)
      process.atEnd(() => dropConnection(database))
      const store = faultyStore(stage, process, sqliteStore(database))
      const inbox = { store, transaction: faultyTransaction(stage, process, database), clock: process.clock }
      const effect = broken.effect ?? charge
      const handle = taskHandler(
        stage,
        process,
        () => undefined,
        (message, context: ShopContext) => effect(message, context, database),
      )
      const relay = broken.relay ?? createRelay
      return {
        once: [],
        handler: broken.handler?.(inbox, handle) ?? createInbox(inbox).handler(handle),
        started: (transport) =>
          relay(store, transport, { pollMs: 2_000, leaseMs: 5_000, onFailure: planned }),
      }
    },
    isQuiet() {
      try {
        return own.prepare('SELECT 1 FROM posthorn_outbox LIMIT 1').get() === undefined
      } catch {
        // Somebody is writing.
        return false
      }
    },
    effects: (id) => charges(own).filter((charged) => charged === id).length,
    check({ journal, deadLetters }) {
      const charged = charges(own)
      const isDead = (id: string): boolean => deadLetters.some((letter) => letter.id === id)
      const firsts = receipts.order.filter((id, index) => receipts.order.indexOf(id) === index)
      return [
        ...tasks.flatMap(({ id }) => {
          const effects = charged.filter((one) => one === id).length
          const ids = receipts.ids.get(id)?.size ?? 0
          return [
            ...(effects > 1 ? [`${id}: ${effects} effects`] : []),
            ...(effects > 0 && journal.sent.of(id) === 1 && journal.timedOut.of(id) === 0 && isDead(id)
              ? [`${id}: an effect and a dead letter`]
              : []),
            ...(ids === effects ? [] : [`${id}: ${effects} effects and ${ids} receipts`]),
          ]
        }),
        ...(firsts.join() === charged.join()
          ? []
          : [`receipts of one key came as ${firsts.join()}, and were written as ${charged.join()}`]),
      ]
    },
    close() {
      for (const connection of connections) dropConnection(connection)
    },
  }
}

async function charge({ id }: Message, context: ShopContext): Promise<void> {
  context.transaction.prepare('INSERT INTO charges (id) VALUES (?)').run(id)
  await context.send('receipts', { data: id, key: 'customer' })
}

function charges(database: DatabaseSync): readonly string[] {
  const rows = database.prepare('SELECT id FROM charges ORDER BY position').all() as { id: string }[]
  return rows.map(({ id }) => id)
}

/** Gets what the handlers send, without any faults. */
function receiptsOf(stage: Stage): {
  readonly ids: Map<string, Set<string>>
  readonly order: string[]
} {
  const ids = new Map<string, Set<string>>()
  const order: string[] = []
  void stage.broker.connect().then((transport) =>
    transport.consume<string>(
      'receipts',
      ({ id, data }) => {
        ids.set(data, (ids.get(data) ?? new Set()).add(id))
        order.push(data)
      },
      { order: 'key' },
    ),
  )
  return { ids, order }
}

function faultyTransaction(stage: Stage, process: ChainProcess, database: DatabaseSync): Transaction {
  const run = sqliteTransactions(database)
  const step = (name: string): Promise<void> =>
    stage.wait({ process, area: 'store', name, act: () => undefined, refuse: storeIsAway })
  return async (work) => {
    await step('begin')
    const result = await run(async (transaction) => {
      const done = await work(transaction)
      await step('commit')
      return done
    })
    await step('answer of the commit')
    return result
  }
}
