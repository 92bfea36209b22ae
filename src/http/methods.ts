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
    const refuse = ({ request }: { request: Request }) => {
      throw new Problem(405, `This path has no ${request.method}: use one of ${allow}.`, {
        headers: { allow },
      })
    }
    app.all(path, refuse as () => never, hidden)
    // A path with a parameter takes this one too, and a method by its name comes before all of them.
    const rivals = [...methods].filter(([other]) => other !== path && takes(other, path))
    for (const method of new Set(rivals.flatMap(([, names]) => names))) {
      if (!allowed.includes(method)) app.route(method, path, refuse as () => never, hidden)
    }
  }
}

/** Of the document none of them is a route. */
const hidden = { detail: { hide: true, 'x-refused': true } }

/** Whether a template takes a path, whose own parameters are as good as any. */
function takes(template: string, path: string): boolean {
  const [parts, others] = [template.split('/'), path.split('/')]
  return (
    parts.length === others.length &&
    parts.every((part, index) => part === others[index] || part.startsWith(':'))
  )
}
