import { setDefaultTimeout } from 'bun:test'
import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Nothing here is slow, but machines are: a process that starts for the first time may need its seconds.
setDefaultTimeout(30_000)

// A process that tests has no end to tidy up at: the next one removes what is left of those that are gone. Hundreds of databases take
// their time, which no test and none of the processes that it starts has.
for (const name of readdirSync(tmpdir())) {
  const owner = Number(/^docket-test-(\d+)-/.exec(name)?.[1])
  if (owner > 0 && !isRunning(owner)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0)
  } catch {
    return false
  }
}
