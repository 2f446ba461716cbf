import type { Link } from '../connection/link.ts'
import type { Session } from '../connection/session.ts'
import type { TopologyRegistry } from '../connection/topology-registry.ts'
import type { Clock } from '../contract/clock.ts'
import type { DeadLetters } from '../contract/dead-letter-tools.ts'
import type { Depth } from '../contract/depth.ts'
import type { SourceRef } from '../contract/transport.ts'
import { isPosthornError } from '../errors.ts'
import type { PrepareMessage } from '../message/prepare-message.ts'
import { parseSourceRef, sourceName, type DurableSource } from '../routing/names.ts'
import { createDeadLetterTools } from './dead-letter-tools.ts'

export interface SourceAccessHost<Native> {
  readonly clock: Clock
  readonly session: Session<Native>
  readonly topology: TopologyRegistry
  readonly prepare: PrepareMessage
  /** Throws when nothing can be asked any more. */
  refuse(): void
}

/** What can be asked about a source beside consuming it. */
export class SourceAccess<Native> {
  private readonly host: SourceAccessHost<Native>

  constructor(host: SourceAccessHost<Native>) {
    this.host = host
  }

  deadLetters(ref: SourceRef): DeadLetters {
    const source = this.source(ref)
    return createDeadLetterTools({
      clock: this.host.clock,
      prepare: this.host.prepare,
      destination: source.kind === 'queue' ? source.name : source.topic,
      name: sourceName(source),
      count: () => this.ask(source, (link) => link.ask((connection) => connection.countDeadLetters(source))),
      open: (cursor) =>
        this.ask(source, async (link) => {
          const pass = await link.ask((connection) => connection.openDeadLetters(source, cursor))
          return {
            read: (max) => link.run(() => pass.read(max)),
            decide: (items) => link.run(() => pass.decide(items)),
            close: () => link.run(() => pass.close()),
          }
        }),
    })
  }

  async depth(ref: SourceRef): Promise<Depth> {
    const source = this.source(ref)
    const what = `depth(${JSON.stringify(sourceName(source))})`
    return this.ask(source, () => this.host.session.ask(what, (connection) => connection.depth(source)))
  }

  /** Asks about a source; one that is missing is made first, as its first use would, where it is known how. */
  private async ask<Result>(
    source: DurableSource,
    question: (link: Link<Native>) => Promise<Result>,
  ): Promise<Result> {
    const { session, topology } = this.host
    for (let isMade = false; ; isMade = true) {
      this.host.refuse()
      const link = await session.whenConnected()
      try {
        return await question(link)
      } catch (error) {
        const isMissing = isPosthornError(error) && error.code === 'POSTHORN_TOPOLOGY_MISSING'
        if (isMade || !isMissing || !(await topology.recreate(source))) throw error
      }
    }
  }

  /** The source with its dead-letter queue: the one named, else the one declared here, else the default. */
  private source(ref: SourceRef): DurableSource {
    const source = parseSourceRef(ref)
    if (typeof ref === 'object' && ref.deadLetterQueue !== undefined) return source
    const { topology } = this.host
    return source.kind === 'queue'
      ? topology.queueSource(source.name)
      : topology.subscriptionSource(source.topic, source.group, source.patterns)
  }
}
