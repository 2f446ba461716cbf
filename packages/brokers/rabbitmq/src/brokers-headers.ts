/** What a user calls as RabbitMQ calls its own travels under another name: it would be taken for an order, or be lost. */
const kept = 'posthorn-header-'

/** Whether brokers put this header on a message. Carried over by a copy, they route it elsewhere, or end its retries. */
function isBrokersHeader(name: string): boolean {
  switch (name) {
    case 'CC':
    case 'BCC':
    case 'x-death':
    case 'x-delivery-count':
    case 'x-acquired-count':
      return true
    default:
      return name.startsWith('x-first-death-') || name.startsWith('x-last-death-')
  }
}

/** Gives those of `users` that need it another name in `headers`, which is changed. */
export function keepUsersHeaders(
  headers: Record<string, string>,
  users: Readonly<Record<string, string>>,
): void {
  for (const name in users) {
    if (!isBrokersHeader(name)) continue
    headers[kept + name] = users[name]!
    delete headers[name]
  }
}

/** The headers of a message without those that brokers have put there, and with the user's under their own names. */
export function readUsersHeaders(
  headers: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = Object.keys(headers)
  if (!names.some((name) => isBrokersHeader(name) || isKept(name))) return headers
  const read: Record<string, unknown> = {}
  for (const name of names) {
    if (isKept(name)) read[name.slice(kept.length)] = headers[name]
    else if (!isBrokersHeader(name)) read[name] = headers[name]
  }
  return read
}

function isKept(name: string): boolean {
  return name.startsWith(kept) && isBrokersHeader(name.slice(kept.length))
}
