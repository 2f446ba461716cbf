/** What connects to the broker under one name, until that is killed. */
export interface Process {
  isAlive: boolean
}

/** The living processes by their names, which faults know them by. One that has no name cannot be killed. */
export class Processes {
  private readonly living = new Map<string, Process>()

  named(name: string | undefined): Process {
    let process = name === undefined ? undefined : this.living.get(name)
    if (process === undefined) {
      process = { isAlive: true }
      if (name !== undefined) this.living.set(name, process)
    }
    return process
  }

  /** Whoever has this name afterwards is another process. */
  kill(name: string): void {
    this.named(name).isAlive = false
    this.living.delete(name)
  }
}
