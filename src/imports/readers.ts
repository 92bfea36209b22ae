import { mostBytes, readSources } from './files.ts'
import type { Reader } from './found.ts'
import { createPace } from './pace.ts'
import { type Plan, planOf } from './rules.ts'
import type { SourceName } from './schema.ts'

export { mostBytes }

/** Loaded with the first file of their kind. */
const readers: Record<SourceName, () => Promise<Reader>> = {
  todoist: async () => (await import('./todoist.ts')).readTodoist,
  ticktick: async () => (await import('./ticktick.ts')).readTickTick,
  ical: async () => (await import('./ical.ts')).readCalendar,
}

/**
 * What a file would make of a user who has nothing.
 * @param zone of who reads times that have none
 * @returns the plan, or what is wrong with the file, as the rest of a sentence
 */
export async function readPlan(
  from: SourceName,
  file: { bytes: Uint8Array; name: string },
  userId: string,
  zone: string,
): Promise<Plan | string> {
  const sources = readSources(file.bytes, file.name)
  if (typeof sources === 'string') return sources
  const read = await readers[from]()
  const pace = createPace()
  const found = await read(sources, zone, pace)
  if (typeof found === 'string') return found
  return planOf(found, from, userId, pace)
}
