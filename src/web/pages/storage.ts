/** What the browser keeps for this origin. Null: it may keep nothing, and says so in one of two ways. */
export function storage(): Storage | null {
  try {
    return window.localStorage ?? null
  } catch {
    return null
  }
}
