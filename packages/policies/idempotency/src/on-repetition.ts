import { warn } from './warn.ts'
import type { Context, Message } from '@posthorn/transport'

/** Told of each message that was done before, and is acked without its handler. What it throws is warned of. */
export type OnRepetition = (message: Message, context: Context) => void

export function tellOf(onRepetition: OnRepetition | undefined, message: Message, context: Context): void {
  try {
    onRepetition?.(message, context)
  } catch (error) {
    warn(error)
  }
}
