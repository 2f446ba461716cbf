import type { Context } from '../contract/context.ts'
import type { Middleware, MiddlewareRuntime } from '../contract/middleware.ts'
import { PosthornError } from '../errors.ts'
import type { Pausing } from './pausing.ts'
import { Run } from './run.ts'
import type { RunnerHost } from './runner-host.ts'

/** What middleware can reach of its consumer. */
export interface MiddlewareAccess {
  readonly host: RunnerHost
  readonly pausing: Pausing
  allow(owner: object, starts: number): void
  onClose(callback: () => void | Promise<void>): void
}

/** Each middleware's own, so that its allowance is told apart from the others'. */
export function middlewareRuntime(middleware: Middleware, access: MiddlewareAccess): MiddlewareRuntime {
  const { host, pausing } = access
  const who = `middleware "${middleware.name}"`
  return {
    source: host.source,
    clock: host.clock,
    get capabilities() {
      return host.capabilities()
    },
    emit: (name, event) => host.emit(name, event),
    pause: (types) => pausing.pauseCounted(types, `${who} asked for it`),
    resume: (types) => pausing.resumeCounted(types),
    allow: (starts) => {
      if (typeof starts !== 'number' || !(starts >= 0)) {
        throw refusal(
          `${who} allows ${String(starts)} starts. Give a number from 0; Infinity lifts the limit.`,
        )
      }
      access.allow(middleware, starts)
    },
    onSettle: (context, begins) => {
      const safely = <Arguments extends unknown[], Result>(
        callback: ((...given: Arguments) => Result) | undefined,
        ...given: Arguments
      ): Result | undefined => {
        try {
          return callback?.(...given)
        } catch (error) {
          host.emit('callbackFailed', { where: `onSettle of ${who}`, error })
          return undefined
        }
      }
      runOf(context, `${who} watches`).onSettle((verb) => {
        const ends = safely(begins, verb)
        return (outcome) => safely(ends, outcome)
      })
    },
    redirect: (context, to) => runOf(context, `${who} redirects`).redirect(to),
    onClose: (callback) => access.onClose(callback),
  }
}

function runOf(context: Context, what: string): Run {
  if (context instanceof Run) return context
  throw refusal(
    `${what} a context that is none. Give the one that it got, or one made of it by Object.create.`,
  )
}

function refusal(message: string): PosthornError {
  return new PosthornError('POSTHORN_INVALID_OPTION', message, { phase: 'handle' })
}
