/** What the browser keeps for this origin. Null: it may keep nothing, and says so in one of two ways. */
export function storage(): Storage | null {
  try {
    return window.localStorage ?? null
  } catch {
    return null
  }
}

/** Notes a choice of this browser's user, where there is room for it. */
export function note(name: string, text: string): void {
  try {
    storage()?.setItem(name, text)
  } catch {
    // It is asked for once more, the next time.
  }
}
