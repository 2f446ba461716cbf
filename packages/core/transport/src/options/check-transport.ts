import type { Transport } from '../contract/transport.ts'
import { isPromiseLike } from '../consume/is-promise-like.ts'
import { PosthornError } from '../errors.ts'
import { showValue } from './show-value.ts'

const methods = ['send', 'publish', 'consume', 'subscribe'] as const

/** Throws unless it is a transport. `where` is the call as a reader would write it. */
export function checkTransport(where: string, transport: unknown): asserts transport is Transport {
  if (typeof transport === 'object' && transport !== null) {
    const given = transport as { readonly [Name in (typeof methods)[number]]?: unknown }
    if (methods.every((name) => typeof given[name] === 'function')) return
  }
  // A URL may hold a password.
  const shown = typeof transport === 'string' ? 'a string' : showValue(transport)
  const problem = isPromiseLike(transport)
    ? 'got a promise of one. Await it first'
    : `got ${shown}. Pass what \`await connect(url)\`, or the factory of a broker's package, answers`
  throw new PosthornError('POSTHORN_INVALID_OPTION', `${where} takes a transport, and ${problem}.`, {
    phase: 'options',
  })
}
