/** Milliseconds for which one file may keep all others waiting. */
const stretch = 10

/** Is called now and then by what takes long: lets others have their turn. */
export type Pace = () => Promise<void>

export function createPace(): Pace {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < stretch) return
    await new Promise((resolve) => setImmediate(resolve))
    since = performance.now()
  }
}
