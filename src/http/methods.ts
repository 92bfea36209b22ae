import type { AnyElysia } from 'elysia'
import { Problem } from './problem.ts'

/** Answers 405 with `Allow` for every path of the app and every method that it has not. Used after all routes. */
export function refuseOtherMethods(app: AnyElysia): void {
  const methods = new Map<string, string[]>()
  for (const { method, path } of app.routes) {
    // Of CORS, for any path; and what takes every method.
    if (method === 'OPTIONS' || method === 'ALL') continue
    methods.set(path, [
      ...(methods.get(path) ?? []),
      ...(method === 'GET' ? ['GET', 'HEAD'] : [method]),
    ])
  }
  for (const [path, allowed] of methods) {
    const allow = allowed.join(', ')
    app.all(
      path,
      ({ request }) => {
        throw new Problem(405, `This path has no ${request.method}: use one of ${allow}.`, {
          headers: { allow },
        })
      },
      { detail: { hide: true } },
    )
  }
}
