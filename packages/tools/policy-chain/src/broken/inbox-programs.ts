import { createInbox, createRelay } from '@posthorn/idempotency'
import { ackWith, type Transport } from '@posthorn/transport'
import { inboxForm, type InboxBreak } from '../inbox-form.ts'
import type { BrokenProgram } from './broken-program.ts'

const inForm = (name: string, caughtAs: RegExp, broken: InboxBreak): BrokenProgram => ({
  name,
  caughtAs,
  form: (stage) => inboxForm(stage, broken),
})

export const brokenInboxPrograms: readonly BrokenProgram[] = [
  inForm('acks before the commit', /: lost$/, {
    handler: (inbox, handle) => (message, context) => {
      void Promise.resolve(createInbox(inbox).handler(handle)(message, context)).catch(() => undefined)
      return ackWith(undefined)
    },
  }),
  inForm('records before the effect', /: lost$/, {
    handler(inbox, handle) {
      const recorded = createInbox(inbox).handler(() => 'recorded')
      return async (message, context) => {
        const before: unknown = await recorded(message, context)
        const isNew = (before as { readonly value?: unknown }).value === 'recorded'
        if (!isNew) return before
        return inbox.transaction(async (transaction) =>
          handle(message, Object.assign(Object.create(context) as typeof context, { transaction })),
        )
      }
    },
  }),
  inForm('has its effect outside of the transaction', /: \d effects/, {
    async effect({ id }, context, database) {
      database.exec('COMMIT')
      database.prepare('INSERT INTO charges (id) VALUES (?)').run(id)
      database.exec('BEGIN IMMEDIATE')
      await context.send('receipts', { data: id, key: 'customer' })
    },
  }),
  inForm('sends past the outbox', /effects and \d receipts/, {
    handler: (inbox, handle) => (message, context) =>
      createInbox(inbox).handler(async (inner, within) =>
        handle(
          inner,
          Object.create(within, {
            send: { value: context.send.bind(context) },
          }) as typeof within,
        ),
      )(message, context),
  }),
  inForm('relays before it is confirmed', /effects and 0 receipts/, {
    relay(store, transport, options) {
      const hasty: Pick<typeof store, 'claims' | 'outbox'> = {
        claims: store.claims,
        outbox: {
          ...store.outbox,
          async claim(query) {
            const batch = await store.outbox.claim(query)
            await store.outbox.sent(batch.messages.map(({ id }) => id))
            return batch
          },
        },
      }
      createRelay(hasty, transport, options)
    },
  }),
  inForm('relays under new ids', /effects and \d receipts/, {
    relay(store, transport, options) {
      let count = 0
      const renaming = new Proxy(transport, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target)
          if (typeof value !== 'function') return value
          if (name !== 'send') return value.bind(target) as unknown
          return async (...[to, message, how]: Parameters<Transport['send']>) =>
            target.send(to, { ...message, id: `${message.id}-${(count += 1)}` }, how)
        },
      })
      createRelay(store, renaming, options)
    },
  }),
]
