import { type Caller, type List, search, unlessForbidden } from './caller.ts'
import { cut, lean } from './lean.ts'
import type { Json } from './tool.ts'

type Tag = { tag: string; pending: number }

/** Lists and tags in it. */
const mostNamed = 50

/** What somebody has to know who is to help: the day, what is to be done, and under what names. */
export async function overview(caller: Caller): Promise<Json> {
  const count = async (filter: string) =>
    (await caller.ask<{ count: number }>('GET', `/api/tasks/count${search({ filter })}`)).value
      .count
  const { user } = caller
  const [today, pending, overdue, dueToday, dueInWeek, undated, lists, tags] = await Promise.all([
    caller.today(),
    count('is:pending'),
    count('is:overdue'),
    count('is:pending due:today'),
    count('is:pending due:today..+6d'),
    count('is:pending due:none'),
    unlessForbidden(caller.ask<List[]>('GET', '/api/lists?counts=true&archived=false')),
    unlessForbidden(caller.ask<Tag[]>('GET', '/api/tags')),
  ])
  const inUse = tags?.value.filter((one) => one.pending > 0) ?? []
  return {
    today: today.date,
    weekday: new Date(`${today.date}T00:00:00Z`).toLocaleDateString('en', {
      weekday: 'long',
      timeZone: 'UTC',
    }),
    time_zone: today.zone,
    user: lean({ id: user.id, name: user.name }),
    may: user.scopes.filter((scope) => scope.startsWith('tasks:')),
    ...lean({ only_some_lists: user.list_ids !== null }),
    pending,
    overdue,
    due_today: dueToday,
    due_within_7_days: dueInWeek,
    without_due_date: undated,
    lists: (lists?.value ?? []).slice(0, mostNamed).map(({ id, name, pending: open }) => ({
      id,
      name: cut(name),
      pending: open,
    })),
    tags: Object.fromEntries(
      inUse
        .toSorted((a, b) => b.pending - a.pending)
        .slice(0, mostNamed)
        .map(({ tag, pending: open }) => [tag, open]),
    ),
    ...lean({
      has_more_lists: (lists?.value.length ?? 0) > mostNamed,
      has_more_tags: inUse.length > mostNamed,
    }),
  }
}
