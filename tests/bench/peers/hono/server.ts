import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import { jwt } from 'hono/jwt'
import postgres from 'postgres'
import { z } from 'zod'

// The same tasks with Hono and postgres.js on Bun.

const sql = postgres(process.env.DATABASE_URL ?? '', {
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

const Fields = z.object({
  title: z.string().min(1).max(500),
  description: z.string().max(20_000).nullish(),
  priority: z.enum(['none', 'low', 'medium', 'high']).optional(),
  tags: z.array(z.string().min(1).max(50)).max(20).optional(),
  due_date: z.iso.date().nullish(),
  due_time: z.string().nullish(),
  time_zone: z.string().nullish(),
})
const Query = z.object({
  status: z.enum(['all', 'pending', 'completed']).optional(),
  priority: z.string().optional(),
  due_before: z.iso.date().optional(),
  q: z.string().max(200).optional(),
  sort: z.enum(['created_at', 'updated_at', 'due_date', 'priority', 'title']).default('created_at'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
const Params = z.object({ id: z.string() })
const Completion = z.object({ completed: z.boolean() })

const notFound = { detail: 'You have no task with this id.' }

const app = new Hono<{ Variables: { jwtPayload: { sub: string } } }>()
  .use('/api/*', jwt({ secret: process.env.BETTER_AUTH_SECRET ?? '', alg: 'HS256' }))
  .get('/api/tasks', zValidator('query', Query), async (c) => {
    const { status, priority, due_before, q, sort, limit } = c.req.valid('query')
    return c.json(
      await sql`
      select ${columns}
      from docket.tasks
      where user_id = ${c.var.jwtPayload.sub}
        and deleted_at is null
        ${status === 'pending' ? sql`and completed_at is null` : sql``}
        ${status === 'completed' ? sql`and completed_at is not null` : sql``}
        ${priority === undefined ? sql`` : sql`and priority = any(${priority.split(',')})`}
        ${due_before === undefined ? sql`` : sql`and due_date <= ${due_before}`}
        ${q === undefined ? sql`` : sql`and (title ilike ${`%${q}%`} or description ilike ${`%${q}%`} or array_to_string(tags, ' ') ilike ${`%${q}%`})`}
      order by ${orders[sort]}
      limit ${limit}`,
    )
  })
  .get('/api/tasks/:id', zValidator('param', Params), async (c) => {
    const [task] = await sql`
      select ${columns}
      from docket.tasks
      where user_id = ${c.var.jwtPayload.sub}
        and id = ${c.req.valid('param').id}
        and deleted_at is null`
    return task ? c.json(task) : c.json(notFound, 404)
  })
  .post('/api/tasks', zValidator('json', Fields), async (c) => {
    const body = c.req.valid('json')
    const [task] = await sql`
      insert into docket.tasks
        (id, user_id, title, description, priority, tags, due_date, due_time, time_zone)
      values (
        ${Bun.randomUUIDv7()},
        ${c.var.jwtPayload.sub},
        ${body.title},
        ${body.description ?? null},
        ${body.priority ?? 'none'},
        ${body.tags ?? []},
        ${body.due_date ?? null},
        ${body.due_time ?? null},
        ${body.time_zone ?? null}
      )
      returning ${columns}`
    return c.json(task, 201)
  })
  .patch(
    '/api/tasks/:id',
    zValidator('param', Params),
    zValidator('json', Fields.partial()),
    async (c) => {
      const [task] = await sql`
        update docket.tasks
        set ${sql(c.req.valid('json'))}, version = version + 1, updated_at = now()
        where user_id = ${c.var.jwtPayload.sub}
          and id = ${c.req.valid('param').id}
          and deleted_at is null
        returning ${columns}`
      return task ? c.json(task) : c.json(notFound, 404)
    },
  )
  .post(
    '/api/tasks/:id/complete',
    zValidator('param', Params),
    zValidator('json', Completion),
    async (c) => {
      const [task] = await sql`
        update docket.tasks
        set completed_at = case when ${c.req.valid('json').completed} then coalesce(completed_at, now()) end,
          version = version + 1, updated_at = now()
        where user_id = ${c.var.jwtPayload.sub}
          and id = ${c.req.valid('param').id}
          and deleted_at is null
        returning ${columns}, null as next_task`
      return task ? c.json(task) : c.json(notFound, 404)
    },
  )

Bun.serve({ hostname: '127.0.0.1', port: Number(process.env.PORT), fetch: app.fetch })
