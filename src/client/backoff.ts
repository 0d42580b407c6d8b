// Pure.
// How long to wait before the next try.

export interface BackoffSettings {
  readonly firstMs: number
  readonly mostMs: number
}

/**
 * Doubles with each failure up to `mostMs`, then spread by up to a fifth either way so that many
 * clients do not come back at once. `failures` is at least 1; `chance` is in [0, 1).
 */
export function backoffMs(settings: BackoffSettings, failures: number, chance: number): number {
  const doubled = settings.firstMs * 2 ** Math.min(failures - 1, 30)
  return Math.min(doubled, settings.mostMs) * (0.8 + 0.4 * chance)
}
