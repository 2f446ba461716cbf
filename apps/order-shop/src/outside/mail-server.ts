import type { Stage } from './stage.ts'

export interface Email {
  readonly orderId: string
  readonly customerId: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly idempotencyKey?: string | undefined
}

/** Sends e-mail: a file for each in the folder `emails`, which any mail program opens. */
export interface MailServer {
  send(email: Email): Promise<void>
}

export function createMailServer(stage: Stage): MailServer {
  return {
    send({ idempotencyKey, ...email }) {
      const { orderId, customerId } = email
      return stage.ask('mail', orderId, () => {
        const file = { folder: 'emails', key: idempotencyKey, extension: 'eml' }
        stage.writeOnce(file, toEml(email), { effect: 'email', orderId, customerId })
      })
    },
  }
}

/** RFC 5322, the text as UTF-8, which the header says. */
function toEml({ orderId, to, subject, text }: Email): string {
  const headers = [
    'From: The Posthorn Shop <orders@posthorn-shop.example>',
    `To: ${to}`,
    `Subject: ${encodeWords(subject)}`,
    `X-Order-Id: ${orderId}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ]
  return [...headers, '', ...text.split('\n'), ''].join('\r\n')
}

/** RFC 2047, where it is not plain ASCII. */
function encodeWords(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
}
