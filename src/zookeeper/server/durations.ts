// Pure.
// How long something took: least, most, sum and count, as ZooKeeper's statistics have them.

export class Durations {
  count = 0
  sum = 0
  private least = 0
  max = 0

  add(durationMs: number): void {
    const whole = Math.floor(durationMs)
    this.least = this.count === 0 ? whole : Math.min(this.least, whole)
    this.max = Math.max(this.max, whole)
    this.count += 1
    this.sum += durationMs
  }

  reset(): void {
    this.count = 0
    this.sum = 0
    this.least = 0
    this.max = 0
  }

  get min(): number {
    return this.least
  }

  get average(): number {
    return this.count === 0 ? 0 : this.sum / this.count
  }
}
