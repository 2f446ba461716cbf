import {
  isPosthornError,
  type PartialPublishError,
  type SendOptions,
  type Transport,
} from '@posthorn/transport'
import { checkTransport, optionRules } from '@posthorn/transport/options'
import {
  checkOutgoing,
  schemasRule,
  type JsonMap,
  type JsonSchemas,
  type SchemaInputs,
  type SchemaOutputs,
  type SchemasOf,
  type StandardSchema,
} from '@posthorn/transport/schema'
import { drain } from './drain.ts'
import { startWorker } from './start-worker.ts'
import { routeTasks } from './route-tasks.ts'
import type { AddOptions, TaskOptions, WorkQueue } from './work-queue.ts'

/**
 * A queue of tasks on any broker. It holds no connection of its own: what is open is its transport and its workers.
 * The type map comes from the schemas.
 */
export function createWorkQueue<Schemas extends JsonSchemas<Schemas>>(
  transport: Transport,
  name: string,
  options: SchemaOptions<Schemas>,
): WorkQueue<SchemaInputs<Schemas>, SchemaOutputs<Schemas>>
/** The same, with the type map given: task name to data. */
export function createWorkQueue<Tasks extends object & JsonMap<Tasks> = Record<string, unknown>>(
  transport: Transport,
  name: string,
  options?: Partial<SchemaOptions<SchemasOf<Tasks>>>,
): WorkQueue<Tasks>
export function createWorkQueue(
  transport: Transport,
  name: string,
  options: Partial<SchemaOptions<Schemas>> = {},
): WorkQueue<Record<string, unknown>> {
  const where = `createWorkQueue(${JSON.stringify(name)})`
  checkTransport(where, transport)
  optionRules.checkOptions(where, options, { schemas: schemasRule })
  const { schemas } = options
  const totals = { added: 0, done: 0, failed: 0, retried: 0, deadLettered: 0 }

  return {
    name,
    async add(type: string, data: unknown, { via, timeoutMs, signal, ...fields }: AddOptions = {}) {
      const checking = checkOutgoing(`add to "${name}"`, 'task', schemas, [{ type, data }])
      // Without a wait, so that adds of the same turn travel together.
      if (checking !== undefined) await checking
      await (via ?? transport).send(name, { ...fields, type, data }, { timeoutMs, signal })
      totals.added += 1
    },
    async addMany(
      tasks: readonly (TaskOptions & { readonly type: string; readonly data: unknown })[],
      sending?: SendOptions,
    ) {
      const checking = checkOutgoing(`addMany to "${name}"`, 'task', schemas, tasks)
      if (checking !== undefined) await checking
      try {
        await transport.sendMany(name, tasks, sending)
        totals.added += tasks.length
      } catch (error) {
        totals.added += countConfirmed(error)
        throw error
      }
    },
    async work(handlers, workOptions = {}) {
      return startWorker(transport, name, routeTasks(name, handlers, schemas), workOptions, totals)
    },
    async stats() {
      return { depth: await transport.depth(name), ...totals }
    },
    drain: (drainOptions) => drain(transport, name, drainOptions),
  }
}

export interface SchemaOptions<Schemas> {
  /** A Standard Schema for each task name. Adding validates and sends what it was given; handlers get the output. */
  readonly schemas: Schemas
}

type Schemas = Readonly<Record<string, StandardSchema>>

function countConfirmed(error: unknown): number {
  if (!isPosthornError(error) || error.code !== 'POSTHORN_PARTIAL_PUBLISH') return 0
  return (error as PartialPublishError).outcomes.filter((outcome) => outcome === 'confirmed').length
}
