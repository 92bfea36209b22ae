import { Problem } from '../http/problem.ts'

/** How often it is looked anew at what somebody has changed meanwhile. */
export const mostAttempts = 5

export const busy = (): Problem =>
  new Problem(503, 'Somebody changes the same lists or tasks just now. Try again.', {
    headers: { 'retry-after': '1' },
  })
