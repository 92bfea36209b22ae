/** What a credential may be for. Who is signed in may do everything. */
export const scopes = ['tasks:read', 'tasks:write', 'account', 'sign-in'] as const
export type Scope = (typeof scopes)[number]

/** What somebody can give to a token. */
export const grantable = ['tasks:read', 'tasks:write', 'account'] as const
export type Grantable = (typeof grantable)[number]

/** What each first part of a path is about: reading tasks needs another scope than changing them. */
const areas: Record<string, 'tasks' | 'account'> = {
  tasks: 'tasks',
  lists: 'tasks',
  tags: 'tasks',
  filters: 'tasks',
  changes: 'tasks',
  events: 'tasks',
  history: 'tasks',
  undo: 'tasks',
  trash: 'tasks',
  webhooks: 'account',
  feeds: 'account',
}

/** Of these each route has its own. What makes, shows or ends a sign-in is for who is signed in. */
const ofRoutes: Record<string, Scope> = {
  // Each tool asks for what it needs besides.
  'POST /mcp': 'tasks:read',
  'GET /me': 'tasks:read',
  'PATCH /me': 'account',
  'DELETE /me': 'sign-in',
  'POST /me/adopt': 'sign-in',
  'GET /me/export': 'tasks:read',
  'POST /me/import': 'tasks:write',
  'GET /me/sessions': 'sign-in',
  'DELETE /me/sessions/:id': 'sign-in',
  'GET /me/tokens': 'sign-in',
  'POST /me/tokens': 'sign-in',
  'DELETE /me/tokens/:id': 'sign-in',
  'POST /me/tokens/:id/rotate': 'sign-in',
  'GET /me/programs': 'sign-in',
  'DELETE /me/programs/:id': 'sign-in',
  'GET /me/push': 'account',
  'POST /me/push': 'account',
  'DELETE /me/push/:id': 'account',
}

/** What a credential that is for some lists can be used for: all of it looks at the list of each task. */
const withinLists = new Set([
  'POST /mcp',
  'GET /me',
  'GET /lists',
  'GET /lists/:id',
  'GET /lists/:id/tasks',
  'GET /tasks',
  'POST /tasks',
  'GET /tasks/count',
  'POST /tasks/batch',
  'POST /tasks/bulk',
  'GET /tasks/:id',
  'PATCH /tasks/:id',
  'PUT /tasks/:id',
  'DELETE /tasks/:id',
  'PATCH /tasks/:id/complete',
  'POST /tasks/:id/complete',
  'PATCH /tasks/:id/toggle',
  'POST /tasks/:id/toggle',
  'POST /tasks/:id/restore',
  'POST /tasks/:id/move',
  'POST /tasks/:id/skip',
  'GET /tasks/:id/occurrences',
])

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD'

/** A route by its method and the template of its path, which is there with and without a user. */
const nameOf = (method: string, route: string): string =>
  `${method === 'HEAD' ? 'GET' : method} ${route.replace(/^\/api(\/:user_id)?/, '')}`

/** What a route needs; null: nobody has said, so it is for who is signed in. */
export function scopeOf(method: string, route: string): Scope | null {
  const name = nameOf(method, route)
  const area = areas[/^\S+ \/(\w+)/.exec(name)?.[1] ?? '']
  if (area === 'account') return 'account'
  if (area === 'tasks') return isReading(method) ? 'tasks:read' : 'tasks:write'
  return ofRoutes[name] ?? null
}

/** Whether a credential for some lists has this route. */
export const isWithinLists = (method: string, route: string): boolean =>
  withinLists.has(nameOf(method, route))

/** Whether these let somebody do what needs that: who may change tasks may read them. */
export const allows = (held: readonly Scope[], needed: Scope): boolean =>
  held.includes(needed) || (needed === 'tasks:read' && held.includes('tasks:write'))
