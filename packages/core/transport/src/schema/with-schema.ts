import { isPromiseLike } from '../consume/is-promise-like.ts'
import type { Context } from '../contract/context.ts'
import type { Message } from '../contract/message.ts'
import type { Handler } from '../contract/middleware.ts'
import { PosthornError } from '../errors.ts'
import { describeIssues } from './describe-issues.ts'
import type { StandardResult, StandardSchema } from './standard-schema.ts'

/**
 * A handler that gets the data as the schema gives it. What does not fit is dead-lettered at once with the issues as the
 * reason: trying again would find the same. A schema that throws fails the attempt as a handler would.
 */
export function withSchema(schema: StandardSchema, handler: Handler<never, never>): Handler {
  const handle = handler as Handler
  const proceed = (result: StandardResult<unknown>, message: Message, context: Context): unknown => {
    if (result.issues === undefined) return handle({ ...message, data: result.value }, context)
    const issues = describeIssues(result.issues)
    const error = new PosthornError(
      'POSTHORN_SCHEMA_MISMATCH',
      `The data of "${message.type}" ${message.id} does not fit its schema: ${issues}.`,
      { phase: 'handle', cause: result.issues },
    )
    return context.deadLetter({ reason: `invalid-data: ${issues}`, error })
  }
  return (message, context) => {
    const result = schema['~standard'].validate(message.data)
    if (isPromiseLike(result))
      return Promise.resolve(result).then((settled) => proceed(settled, message, context))
    return proceed(result, message, context)
  }
}
