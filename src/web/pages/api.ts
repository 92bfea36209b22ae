import { treaty } from '@elysiajs/eden'
import type { Activity, App, List, NewTask, Problem, Task, TaskPatch } from '../../client.ts'

export type { Activity, List, NewTask, Problem, Task, TaskPatch }

/** Where Docket is, behind whatever proxy: this script is at web/ of it. */
export const base = new URL('..', import.meta.url).href.replace(/\/$/, '')

/** The whole API, by the types of the server alone. The session cookie goes along by itself. */
export const { api } = treaty<App>(base, { parseDate: false })

/** What the feed and the stream say: something, as it is now. */
export type Change = {
  seq: number
  type: 'task' | 'list'
  id: string
  task?: Task
  list?: List
  purged?: true
}

let isLeaving = false

/** Nobody is signed in, or not any more. Several requests may say so: one of them is enough, and a second would stop the first. */
export function toSignIn(): void {
  if (isLeaving) return
  isLeaving = true
  location.replace(`${base}/sign-in`)
}

/** The e-mail links and the session are Better Auth's, which is under /api/auth and in no type. */
export const signOut = (): Promise<Response> =>
  fetch(`${base}/api/auth/sign-out`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
