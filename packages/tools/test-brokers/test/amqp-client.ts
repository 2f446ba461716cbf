import { connect, type ChannelModel } from 'amqplib'

const declaration = { durable: true, arguments: { 'x-queue-type': 'quorum' } }

/** Resolves when the broker has confirmed it. Rejects when the connection ends before. */
export async function publish(url: string, queue: string, text: string): Promise<void> {
  await withConnection(url, async (connection) => {
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => undefined)
    await channel.assertQueue(queue, declaration)
    channel.sendToQueue(queue, Buffer.from(text), { persistent: true })
    await channel.waitForConfirms()
  })
}

/** The next message's text, which is acknowledged. */
export async function consumeOne(url: string, queue: string): Promise<string> {
  return withConnection(url, async (connection) => {
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => undefined)
    await channel.assertQueue(queue, declaration)
    return new Promise<string>((resolve, reject) => {
      const taken = channel.consume(queue, (message) => {
        if (message === null) return reject(new Error('The broker has cancelled the consumer'))
        channel.ack(message)
        resolve(message.content.toString())
      })
      taken.catch(reject)
    })
  })
}

async function withConnection<Result>(
  url: string,
  use: (connection: ChannelModel) => Promise<Result>,
): Promise<Result> {
  const connection = await connect(url)
  connection.on('error', () => undefined)
  const lost = new Promise<never>((_resolve, reject) => {
    connection.on('close', () => reject(new Error(`The connection to ${new URL(url).host} has ended`)))
  })
  lost.catch(() => undefined)
  const result = await Promise.race([use(connection), lost])
  await connection.close()
  return result
}
