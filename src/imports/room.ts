/** The most bytes of files in memory: of each user, and of all. */
const most = { each: 64 * 1024 * 1024, all: 256 * 1024 * 1024 }

/** Room for files that come and are read. Nobody has more of it than is left for others, so that there is always some for who has none. */
export function createRoom() {
  const held = new Map<string, number>()
  let bytes = 0

  return {
    /** Takes room for so many bytes. @returns what gives it back; null: there is none */
    take(owner: string, count: number): (() => void) | null {
      const own = held.get(owner) ?? 0
      if (own + count > most.each || own + count > most.all - bytes - count) return null
      bytes += count
      held.set(owner, own + count)
      return () => {
        bytes -= count
        const left = (held.get(owner) ?? 0) - count
        if (left === 0) held.delete(owner)
        else held.set(owner, left)
      }
    },
  }
}
