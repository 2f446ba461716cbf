import { open, type FileHandle } from 'node:fs/promises'

/** What happened, in an order that a test can rely on. Any value that JSON can carry. */
export type LedgerEntry = Readonly<Record<string, unknown>>

/** An append-only file of what happened, which survives the kill of its writer. */
export interface Ledger {
  /** Resolves when the entry is on the disk. Entries that are recorded meanwhile share one sync. */
  record(entry: LedgerEntry): Promise<void>
  /** Waits for what is being written. */
  close(): Promise<void>
}

const newline = 0x0a

/**
 * Opens a ledger to add to it. A file has one writer at a time; a last entry that its former writer could not finish is
 * removed. Uses nothing of Posthorn, so that it can bear witness against it.
 */
export async function openLedger(path: string): Promise<Ledger> {
  const file = await open(path, 'a+')
  await removeTornEntry(file)
  return new FileLedger(file)
}

class FileLedger implements Ledger {
  #file: FileHandle
  #lines: string[] = []
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined
  #closed = false

  constructor(file: FileHandle) {
    this.#file = file
  }

  async record(entry: LedgerEntry): Promise<void> {
    if (this.#closed) throw new Error('The ledger is closed')
    this.#lines.push(`${JSON.stringify(entry)}\n`)
    this.#next ??= this.#writeNext()
    await this.#next
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#next
    await this.#writing
    await this.#file.close()
  }

  async #writeNext(): Promise<void> {
    await this.#writing
    this.#writing = this.#next
    this.#next = undefined
    const text = this.#lines.join('')
    this.#lines = []
    await this.#file.appendFile(text)
    await this.#file.datasync()
  }
}

async function removeTornEntry(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const byte = Buffer.alloc(1)
  let end = size
  while (end > 0) {
    await file.read(byte, 0, 1, end - 1)
    if (byte[0] === newline) break
    end--
  }
  if (end < size) await file.truncate(end)
}
