import { missing, passClosed, passLost } from './errors.ts'
import { allOf } from './outcomes.ts'
import { PosthornError } from '../errors.ts'
import type { Entry, Letter } from './entry.ts'
import type { BrokerParts } from './parts.ts'
import type { Queue } from './queue.ts'
import type {
  DeadLetterDecision,
  DeadLetterEntry,
  DeadLetterPass,
  SettleOutcome,
} from '../contract/driver.ts'

/** Works through the dead letters of one source, up to the newest that is there when it begins. */
export class MemoryDeadLetterPass implements DeadLetterPass {
  readonly total: number
  private readonly deadLetters: Queue
  private readonly source: string
  private readonly parts: BrokerParts
  private readonly onClosed: (pass: MemoryDeadLetterPass) => void
  private readonly entries: Iterator<Entry>
  private readonly end: number
  private next: Entry | undefined
  /** The number of the last entry read, or where an earlier pass ended. */
  private position: number
  private isOpen = true
  private isLost = false

  constructor(
    deadLetters: Queue,
    source: string,
    cursor: string | undefined,
    parts: BrokerParts,
    onClosed: (pass: MemoryDeadLetterPass) => void,
  ) {
    this.deadLetters = deadLetters
    this.source = source
    this.parts = parts
    this.onClosed = onClosed
    this.end = deadLetters.letters.newest
    this.position = readCursor(cursor)
    this.entries = deadLetters.letters[Symbol.iterator]()
    let total = deadLetters.letters.size
    for (this.advance(); this.next !== undefined && numberOf(this.next) <= this.position; this.advance())
      total--
    this.total = total
    deadLetters.hasPass = true
  }

  read(max: number): Promise<readonly DeadLetterEntry[]> {
    if (!this.isOpen) return Promise.reject(this.isLost ? passLost(this.source) : passClosed(this.source))
    const read: DeadLetterEntry[] = []
    for (; this.next !== undefined && read.length < max; this.advance()) {
      const entry = this.next
      const { number, record } = entry.letter as Letter
      this.position = number
      if (isFree(entry)) read.push({ entryId: String(number), token: number, message: entry.kept, record })
    }
    return Promise.resolve(read)
  }

  decide(items: readonly DeadLetterDecision[]): Promise<readonly SettleOutcome[]> {
    if (!this.isOpen) return Promise.resolve(allOf('lost', items.length))
    return Promise.resolve(items.map((item) => this.decideOne(item)))
  }

  close(): Promise<string | undefined> {
    if (this.isOpen) {
      this.isOpen = false
      this.deadLetters.hasPass = false
      this.onClosed(this)
    }
    return Promise.resolve(this.next === undefined ? undefined : String(this.position))
  }

  /** Its connection ended. */
  lose(): void {
    this.isLost = this.isOpen
    void this.close()
  }

  private decideOne({ entry: { token }, decision, message }: DeadLetterDecision): SettleOutcome {
    const entry = this.deadLetters.letters.get(token as number)
    if (entry === undefined || !isFree(entry)) return 'lost'
    if (decision === 'keep') return 'confirmed'
    if (decision === 'replay') {
      const source = this.parts.queues.get(this.source)
      if (source === undefined) return missing(`source "${this.source}" to replay to`)
      source.insert(message, this.parts.clock.now())
    }
    entry.line.discard(entry)
    this.deadLetters.removed(entry)
    return 'confirmed'
  }

  private advance(): void {
    const { value, done } = this.entries.next()
    this.next = done === true || numberOf(value) > this.end ? undefined : value
  }
}

/** Neither held by a consumer of the dead-letter queue nor waiting for another attempt there. */
function isFree(entry: Entry): boolean {
  return entry.place === 'ready' || entry.place === 'parked'
}

function numberOf(entry: Entry): number {
  return (entry.letter as Letter).number
}

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `The cursor ${JSON.stringify(cursor)} does not come from a pass over these dead letters. Pass what an earlier one returned.`,
    { phase: 'options' },
  )
}
