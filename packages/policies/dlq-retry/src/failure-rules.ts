import { matchesPattern, type Message } from '@posthorn/transport'
import { causesOf, codeOf } from './error-facts.ts'
import type { ErrorClass, FailureRule, ScheduleOptions } from './retry-options.ts'
import { createSchedule, type Schedule } from './schedule.ts'

/** What failed, as far as rules look at it. */
export interface FailedThing {
  readonly error: unknown
  readonly type: string | undefined
  readonly message: Message | undefined
}

export interface CompiledRule {
  readonly given: FailureRule
  readonly schedule: Schedule
  /** `report` hears of a predicate that threw. */
  fits(failed: FailedThing, report: (error: unknown) => void): boolean
}

/** `base`: what a rule leaves out of its schedule. */
export function compileRule(given: FailureRule, base: ScheduleOptions): CompiledRule {
  const types = all(given.types)
  const errors = all<ErrorClass>(given.errors)
  const codes = all(given.codes)?.map(String)
  const { test } = given
  return {
    given,
    schedule: createSchedule(merged(given, base)),
    fits({ error, type, message }, report) {
      if (types !== undefined && !(type !== undefined && types.some((one) => matchesPattern(one, type))))
        return false
      if (errors === undefined && codes === undefined && test === undefined) return true
      const causes = causesOf(error)
      if (errors !== undefined && !causes.some((cause) => isInstance(cause, errors))) return false
      if (codes !== undefined && !causes.some((cause) => codes.includes(codeOf(cause) as string)))
        return false
      try {
        return test === undefined || test(error, message)
      } catch (thrown) {
        report(thrown)
        return false
      }
    },
  }
}

/** A rule's backoff brings its own jitter and bound: those of the policy belong to the policy's. */
function merged(rule: FailureRule, base: ScheduleOptions): ScheduleOptions {
  const { maxAttempts, maxElapsedMs, backoff, jitter, maxDelayMs } = rule
  const from = backoff === undefined ? base : {}
  return defined({
    maxAttempts: maxAttempts ?? base.maxAttempts,
    maxElapsedMs: maxElapsedMs ?? base.maxElapsedMs,
    backoff: backoff ?? base.backoff,
    jitter: jitter ?? from.jitter,
    maxDelayMs: maxDelayMs ?? from.maxDelayMs,
  })
}

type Loose<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined }

function defined(options: Loose<ScheduleOptions>): ScheduleOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function all<Value>(given: Value | readonly Value[] | undefined): readonly Value[] | undefined {
  if (given === undefined) return undefined
  return Array.isArray(given) ? [...(given as readonly Value[])] : [given as Value]
}

function isInstance(value: unknown, classes: readonly ErrorClass[]): boolean {
  try {
    return classes.some((one) => value instanceof one)
  } catch {
    return false
  }
}
