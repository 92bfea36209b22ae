/** Takes one turn at a time, and another one for whoever asked meanwhile. */
export function createTurns(turn: () => Promise<void>) {
  let isWanted = false
  let underWay: Promise<void> | null = null

  async function take(): Promise<void> {
    while (isWanted) {
      isWanted = false
      await turn()
    }
  }

  function wake(): void {
    isWanted = true
    underWay ??= take().finally(() => {
      underWay = null
      if (isWanted) wake()
    })
  }

  return {
    wake,
    /** Resolves when none is under way. */
    settled: async (): Promise<void> => {
      await underWay
    },
  }
}
