// The same shop, as the code that everyone starts from: an event bus, a task queue, an idempotent consumer, a dead-letter
// queue and metrics as notes and tutorials have them. Each part looks right. What becomes of it when things fail is what
// the demo counts. It gets more than such notes give it: durable queues, acks after the work, confirmed publishing, and
// processes that are started again.
import type { NaiveBroker, NaiveMessage } from './naive/naive-broker.ts'
import type { Outside } from './outside/outside.ts'
import { confirmationOf } from './shop/confirmation.ts'
import { catalogue } from './shop/catalogue.ts'
import { imageWidths, reportNames } from './shop/messages.ts'
import type { ReportName, ShopTasks } from './shop/messages.ts'
import { paymentOf, totalOf } from './shop/order.ts'
import type { Order } from './shop/order.ts'

export interface Event {
  readonly id: string
  readonly type: string
  readonly data: Order
  readonly timestamp: number
}

export interface Task {
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly createdAt: number
}

/** What each part is made with. */
export interface NaiveParts {
  readonly broker: NaiveBroker
  readonly metrics: MessageMetrics
  readonly console: Pick<Console, 'log' | 'error'>
  readonly generateId: () => string
}

export class MessageMetrics {
  sent = 0
  received = 0
  failed = 0
  retried = 0
  duplicates = 0
  processing = new Map<string, number>()

  onSend(messageId: string): void {
    this.sent++
    this.processing.set(messageId, Date.now())
  }

  onReceive(messageId: string): void {
    this.received++
    this.processing.delete(messageId)
  }

  onError(): void {
    this.failed++
  }

  onRetry(): void {
    this.retried++
  }

  onDuplicate(): void {
    this.duplicates++
  }
}

export class EventBus {
  readonly parts: NaiveParts
  exchange = 'orders'

  constructor(parts: NaiveParts) {
    this.parts = parts
  }

  async publish(type: string, data: Order): Promise<void> {
    const { broker, metrics, generateId } = this.parts
    const event: Event = { id: generateId(), type, data, timestamp: Date.now() }
    metrics.onSend(event.id)
    await broker.publish(this.exchange, type, event)
  }

  async subscribe(type: string, service: string, handler: (data: Order) => Promise<void>): Promise<void> {
    const { broker, metrics, console } = this.parts
    await broker.subscribe<Event>(this.exchange, type, service, async (message) => {
      metrics.onReceive(message.body.id)
      try {
        await handler(message.body.data)
      } catch (error) {
        metrics.onError()
        console.error('Event handler failed:', error)
      }
      await broker.ack(message)
    })
  }
}

export class TaskQueue {
  readonly parts: NaiveParts
  queue = 'tasks'

  constructor(parts: NaiveParts) {
    this.parts = parts
  }

  async addTask(task: Pick<Task, 'type' | 'data'>): Promise<void> {
    const { broker, metrics, generateId } = this.parts
    const message: Task = { id: generateId(), type: task.type, data: task.data, createdAt: Date.now() }
    metrics.onSend(message.id)
    await broker.send(this.queue, task.type, message)
  }

  async startWorker(outside: Outside): Promise<void> {
    const { broker, metrics, console } = this.parts
    const onTask = async (message: NaiveMessage<Task>): Promise<void> => {
      metrics.onReceive(message.body.id)
      try {
        await this.processTask(message.body, outside)
        await broker.ack(message)
      } catch (error) {
        metrics.onError()
        console.error('Task failed:', error)
        metrics.onRetry()
        await broker.nack(message)
      }
    }
    // Fair dispatch: one message at a time.
    await broker.consume<Task>(this.queue, onTask, { prefetch: 1 })
  }

  async processTask(task: Task, { mail, images, reports }: Outside): Promise<void> {
    switch (task.type) {
      case 'email':
        await mail.send(task.data as ShopTasks['email'])
        break
      case 'resize-image': {
        const { sku, width } = task.data as ShopTasks['resize-image']
        await images.resize(sku, width)
        break
      }
      case 'generate-report':
        await reports.write((task.data as { report: ReportName }).report)
        break
    }
  }
}

export class OrderService {
  readonly eventBus: EventBus

  constructor(eventBus: EventBus) {
    this.eventBus = eventBus
  }

  /** One line of the orders file. */
  async receive(line: string): Promise<void> {
    const { console } = this.eventBus.parts
    try {
      const order = JSON.parse(line) as Order
      try {
        await this.createOrder(order)
      } catch (error) {
        console.error('Could not create the order, trying again:', error)
        await this.createOrder(order)
      }
    } catch (error) {
      console.error('Order failed:', error)
    }
  }

  async createOrder(order: Order): Promise<void> {
    saveOrder(order)
    await this.eventBus.publish('order.created', order)
  }
}

/** Stands for the insert into a table whose columns must not be empty. */
function saveOrder({ id, customer, address, items, total }: Order): void {
  for (const column of [id, customer?.id, customer?.name, customer?.email, address?.street, items, total]) {
    if (column === undefined) throw new Error('null value in column violates not-null constraint')
  }
}

export async function startInventoryService(eventBus: EventBus, { warehouse }: Outside): Promise<void> {
  const { console } = eventBus.parts
  await eventBus.subscribe('order.created', 'inventory', async (order) => {
    console.log('Reserving inventory for order:', order.id)
    await warehouse.reserve({ orderId: order.id, customerId: order.customer.id, items: order.items })
  })
}

export async function startAnalyticsService(eventBus: EventBus, { sales }: Outside): Promise<void> {
  await eventBus.subscribe('order.paid', 'analytics', async (order) => {
    await sales.record(order)
  })
}

export async function startEmailService(
  eventBus: EventBus,
  tasks: TaskQueue,
  { customers }: Outside,
): Promise<void> {
  const { console } = eventBus.parts
  await eventBus.subscribe('order.created', 'email', async (order) => {
    console.log('Sending confirmation email:', order.id)
    const greeting = await customers.greeting(order.customer, order.id)
    await tasks.addTask({ type: 'email', data: confirmationOf(order, greeting) })
  })
}

/** Money is handled with more care: an idempotent consumer, retries and a dead-letter queue. */
export class PaymentService {
  readonly eventBus: EventBus
  processedMessages = new Set<string>()

  constructor(eventBus: EventBus) {
    this.eventBus = eventBus
  }

  async initialize(outside: Outside): Promise<void> {
    const { broker, metrics, console } = this.eventBus.parts
    await broker.subscribe<Event>('orders', 'order.created', 'payment', async (message) => {
      metrics.onReceive(message.body.id)
      try {
        await this.processIdempotent(message.body, async ({ data: order }) => {
          await this.chargeOrder(order, outside)
        })
        await broker.ack(message)
      } catch (error) {
        metrics.onError()
        console.error('Processing failed:', error)

        // Get retry count
        const retryCount = Number(message.headers['x-retry-count'] ?? 0)
        if (retryCount < 3) {
          // Retry
          await broker.nack(message, false) // Send to DLX
        } else {
          // Give up
          console.error('Max retries exceeded')
          await broker.ack(message) // Remove from queue
        }
      }
    })
  }

  async chargeOrder(order: Order, { payments, charges }: Outside): Promise<void> {
    const { id, customer } = order
    const cents = totalOf(order)
    const authorization =
      paymentOf(order) === 'card' ? await payments.authorize({ orderId: id, cents }) : null
    await charges.transaction(async (transaction) => {
      const insert = 'INSERT INTO charges (order_id, customer_id, cents, authorization) VALUES (?, ?, ?, ?)'
      transaction.prepare(insert).run(id, customer.id, cents, authorization)
    })
    await this.eventBus.publish('order.paid', order)
  }

  async processIdempotent(message: Event, processMessage: (message: Event) => Promise<void>): Promise<void> {
    // Check if already processed
    if (this.processedMessages.has(message.id)) {
      const { metrics, console } = this.eventBus.parts
      metrics.onDuplicate()
      console.log('Message already processed:', message.id)
      return
    }

    await processMessage(message)

    // Mark as processed
    this.processedMessages.add(message.id)
  }
}

export async function addImages(tasks: TaskQueue): Promise<void> {
  for (const { sku } of catalogue) {
    for (const width of imageWidths) await tasks.addTask({ type: 'resize-image', data: { sku, width } })
  }
}

export async function addReports(tasks: TaskQueue): Promise<void> {
  for (const report of reportNames) await tasks.addTask({ type: 'generate-report', data: { report } })
}
