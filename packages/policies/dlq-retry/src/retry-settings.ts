import { PosthornError } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import { compileRule, type CompiledRule } from './failure-rules.ts'
import { formatMs } from './format-ms.ts'
import { retryDefaults, type FailureRule, type RetryOptions, type ScheduleOptions } from './retry-options.ts'
import { leastSpanMs } from './retry-span.ts'
import { createSchedule, type Schedule } from './schedule.ts'

const { callback, checkOptions, custom, duration, flag, list, oneOf, required, shape, text, wholeNumber } =
  optionRules

/** A policy's options, checked, with every default filled in. */
export interface RetrySettings {
  readonly name: string
  readonly schedule: Schedule
  readonly rules: readonly CompiledRule[]
  readonly maxRetryAfterMs: number
  readonly replayHorizonMs: number
}

const growing = shape({
  baseMs: duration(),
  factor: custom('a finite number from 1', (value) => Number.isFinite(value) && (value as number) >= 1),
})
const listed = list(required(duration()), { min: 1, max: 10_000 })

const backoffRule: optionRules.Rule = {
  check(value, place) {
    if (typeof value === 'function') return
    if (typeof value === 'number') return duration().check(value, place)
    if (Array.isArray(value)) return listed.check(value, place)
    growing.check(value, place)
  },
}

const scheduleRules = {
  maxAttempts: wholeNumber({ min: 1, max: 1_000_000 }),
  backoff: backoffRule,
  jitter: oneOf('full', 'none'),
  maxDelayMs: duration(),
  maxElapsedMs: duration(),
} satisfies Record<keyof ScheduleOptions, optionRules.Rule>

const someOf = (wanted: string, accepts: (value: unknown) => boolean): optionRules.Rule =>
  custom(`${wanted}, or an array of such`, (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(accepts) : accepts(value),
  )

const isErrorClass = (value: unknown): boolean =>
  typeof value === 'function' && (value === Error || value.prototype instanceof Error)

const failureRules = {
  ...scheduleRules,
  types: someOf('a message type or a pattern', (value) => typeof value === 'string' && value !== ''),
  errors: someOf('a class of errors (anything else goes into `test`)', isErrorClass),
  codes: someOf('a code', (value) => typeof value === 'string' || typeof value === 'number'),
  test: callback(),
  retry: flag(),
  reason: text({ max: 100 }),
} satisfies Record<keyof FailureRule, optionRules.Rule>

const retryRules = {
  ...scheduleRules,
  when: list(required(shape(failureRules)), { max: 1_000 }),
  maxRetryAfterMs: duration(),
  messageLifetimeMs: duration({ min: 1 }),
  replayHorizonMs: duration(),
  name: text({ max: 100 }),
  clock: custom('a clock', (value) => typeof value === 'object' && value !== null && 'setTimer' in value),
} satisfies Record<keyof RetryOptions, optionRules.Rule>

export function retrySettings(options: RetryOptions): RetrySettings {
  checkOptions('retry()', options, retryRules)
  const {
    when = [],
    maxRetryAfterMs = retryDefaults.maxRetryAfterMs,
    replayHorizonMs = retryDefaults.replayHorizonMs,
    name = retryDefaults.name,
  } = options
  for (const [index, rule] of when.entries()) checkRule(rule, `retry().when[${index}]`)
  const rules = when.map((rule) => compileRule(rule, options))
  const schedule = createSchedule(options)
  const settings: RetrySettings = { name, schedule, rules, maxRetryAfterMs, replayHorizonMs }
  if (options.messageLifetimeMs !== undefined) checkLifetime(settings, options.messageLifetimeMs)
  return settings
}

function checkRule(rule: FailureRule, where: string): void {
  if (rule.retry !== false) {
    if (rule.reason === undefined) return
    throw refusal(`${where}.reason is that of a dead letter, so it needs retry: false.`)
  }
  const scheduled = Object.keys(scheduleRules).find(
    (name) => rule[name as keyof ScheduleOptions] !== undefined,
  )
  if (scheduled !== undefined)
    throw refusal(`${where} has retry: false and ${scheduled}, which says how to retry. Keep one of them.`)
}

/** What expires before its last attempt would never see it: a schedule that says otherwise promises too much. */
function checkLifetime(settings: RetrySettings, lifetimeMs: number): void {
  const schedules = [settings.schedule, ...settings.rules.map(({ schedule }) => schedule)]
  for (const schedule of schedules) {
    const spanMs = leastSpanMs(schedule)
    if (spanMs < lifetimeMs) continue
    throw refusal(
      `retry() plans ${schedule.maxAttempts} attempts over at least ${formatMs(spanMs)}, and messages expire ${formatMs(lifetimeMs)} ` +
        'after they are made (messageLifetimeMs): the last attempts would never come. Lower maxAttempts or the waits, or let ' +
        'messages live longer.',
    )
  }
}

function refusal(message: string): PosthornError {
  return new PosthornError('POSTHORN_INVALID_OPTION', message, { phase: 'options' })
}
