// Pure.
// One flush at a time; all who ask while it runs share the next one. A caller may trust that the
// flush it waits for began after it asked.

export class GroupCommit {
  private readonly work: () => Promise<void>
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined

  constructor(work: () => Promise<void>) {
    this.work = work
  }

  /** Rejects as the work does. */
  run(): Promise<void> {
    if (this.running === undefined) return this.begin()
    this.next ??= this.afterRunning(this.running)
    return this.next
  }

  private async afterRunning(running: Promise<void>): Promise<void> {
    // Whoever waits for that flush hears of its failure; this one is another.
    await running.catch(() => undefined)
    this.next = undefined
    await this.begin()
  }

  private begin(): Promise<void> {
    const running = this.work().finally(() => {
      if (this.running === running) this.running = undefined
    })
    this.running = running
    return running
  }
}
