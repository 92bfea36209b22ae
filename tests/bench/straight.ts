import { jwt } from '@elysiajs/jwt'
import { Elysia, t } from 'elysia'
import postgres from 'postgres'

// The same tasks over the same tables, as everybody would write them with Elysia and postgres.js: one plain statement for each
// request, a token that is verified each time, the options of the driver as they are. Docket is measured against it. It runs twice:
// with the packages as they are published, and with the driver that Docket has.

/** As RFC 3339, where a Date would lose the microseconds. */
const sql = postgres(process.env['DATABASE_URL'] ?? '', {
  connection: { TimeZone: 'UTC' },
  types: {
    timestamptz: {
      to: 1184,
      from: [1184],
      serialize: (text: string) => text,
      parse: (text: string) => `${text.replace(' ', 'T')}:00`,
    },
    date: {
      to: 1082,
      from: [1082],
      serialize: (text: string) => text,
      parse: (text: string) => text,
    },
  },
})

const columns = sql`
  id, user_id, list_id, parent_id, position, title, description, completed_at is not null as completed, completed_at,
  priority, tags, due_date, due_time, time_zone, recurrence, repeat_from, series_id, occurrence, reminders, version,
  created_at, updated_at, deleted_at`

const orders = {
  created_at: sql`created_at desc, id desc`,
  updated_at: sql`updated_at desc, id desc`,
  due_date: sql`coalesce(due_date + coalesce(due_time, '23:59:59.5'), 'infinity'), id`,
  priority: sql`priority desc, id desc`,
  title: sql`title_key, id`,
}

const priority = t.UnionEnum(['none', 'low', 'medium', 'high'])
const fields = {
  description: t.Optional(t.Nullable(t.String({ maxLength: 20_000 }))),
  priority: t.Optional(priority),
  tags: t.Optional(t.Array(t.String({ minLength: 1, maxLength: 50 }), { maxItems: 20 })),
  due_date: t.Optional(t.Nullable(t.String({ format: 'date' }))),
  due_time: t.Optional(t.Nullable(t.String())),
  time_zone: t.Optional(t.Nullable(t.String())),
}
const title = t.String({ minLength: 1, maxLength: 500 })
const params = t.Object({ id: t.String({ format: 'uuid' }) })

const notFound = { detail: 'You have no task with this id.' }

new Elysia()
  .use(jwt({ name: 'tokens', secret: process.env['BETTER_AUTH_SECRET'] ?? '' }))
  .derive(async ({ tokens, headers, status }) => {
    const token = headers.authorization?.replace(/^Bearer /, '')
    const claims = await tokens.verify(token, { algorithms: ['HS256'] })
    if (claims === false || !claims.sub) return status(401, { detail: 'Sign in first.' })
    return { user: claims.sub }
  })
  .get(
    '/api/tasks',
    ({
      user,
      query: { status, priority: wanted, due_before, q, sort = 'created_at', limit = 50 },
    }) => sql`
      select ${columns}
      from docket.tasks
      where user_id = ${user}
        and deleted_at is null
        ${status === 'pending' ? sql`and completed_at is null` : sql``}
        ${status === 'completed' ? sql`and completed_at is not null` : sql``}
        ${wanted === undefined ? sql`` : sql`and priority = any(${wanted.split(',')})`}
        ${due_before === undefined ? sql`` : sql`and due_date <= ${due_before}`}
        ${q === undefined ? sql`` : sql`and (title ilike ${`%${q}%`} or description ilike ${`%${q}%`} or array_to_string(tags, ' ') ilike ${`%${q}%`})`}
      order by ${orders[sort]}
      limit ${limit}`,
    {
      query: t.Object({
        status: t.Optional(t.UnionEnum(['all', 'pending', 'completed'])),
        priority: t.Optional(t.String()),
        due_before: t.Optional(t.String({ format: 'date' })),
        q: t.Optional(t.String({ maxLength: 200 })),
        sort: t.Optional(
          t.UnionEnum(['created_at', 'updated_at', 'due_date', 'priority', 'title']),
        ),
        limit: t.Optional(t.Numeric({ minimum: 1, maximum: 200 })),
      }),
    },
  )
  .get(
    '/api/tasks/:id',
    async ({ user, params: { id }, status }) => {
      const [task] = await sql`
        select ${columns}
        from docket.tasks
        where user_id = ${user}
          and id = ${id}
          and deleted_at is null`
      return task ?? status(404, notFound)
    },
    { params },
  )
  .post(
    '/api/tasks',
    async ({ user, body, status }) => {
      const [task] = await sql`
        insert into docket.tasks
          (id, user_id, title, description, priority, tags, due_date, due_time, time_zone)
        values (
          ${Bun.randomUUIDv7()},
          ${user},
          ${body.title},
          ${body.description ?? null},
          ${body.priority ?? 'none'},
          ${body.tags ?? []},
          ${body.due_date ?? null},
          ${body.due_time ?? null},
          ${body.time_zone ?? null}
        )
        returning ${columns}`
      return status(201, task)
    },
    { body: t.Object({ title, ...fields }) },
  )
  .patch(
    '/api/tasks/:id',
    async ({ user, params: { id }, body, status }) => {
      const [task] = await sql`
        update docket.tasks
        set ${sql(body)}, version = version + 1, updated_at = now()
        where user_id = ${user}
          and id = ${id}
          and deleted_at is null
        returning ${columns}`
      return task ?? status(404, notFound)
    },
    { params, body: t.Object({ title: t.Optional(title), ...fields }, { minProperties: 1 }) },
  )
  .post(
    '/api/tasks/:id/complete',
    async ({ user, params: { id }, body: { completed }, status }) => {
      const [task] = await sql`
        update docket.tasks
        set completed_at = case when ${completed} then coalesce(completed_at, now()) end,
          version = version + 1, updated_at = now()
        where user_id = ${user}
          and id = ${id}
          and deleted_at is null
        returning ${columns}, null as next_task`
      return task ?? status(404, notFound)
    },
    { params, body: t.Object({ completed: t.Boolean() }) },
  )
  .listen({ hostname: '127.0.0.1', port: Number(process.env['PORT']) })
