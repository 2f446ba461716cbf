/** A server that the tests want cannot be had on this machine; the message says what was tried. */
export class ServerUnavailable extends Error {
  constructor(server: string, reasons: readonly string[]) {
    super(`${server} cannot be had here: ${reasons.join('; ')}.`)
    this.name = 'ServerUnavailable'
  }
}

/**
 * What was started, or why nothing could be, for tests that print a skip. In CI nothing may be skipped, so there
 * (`CI=true`) it rejects.
 */
export async function orReason<Server>(
  starting: Promise<Server>,
): Promise<
  { readonly server: Server; readonly reason?: never } | { readonly server?: never; readonly reason: string }
> {
  try {
    return { server: await starting }
  } catch (error) {
    if (!(error instanceof ServerUnavailable) || process.env['CI'] === 'true') throw error
    return { reason: error.message }
  }
}
