import { randomUUID } from 'node:crypto'
import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import pg from 'pg'

// The same tasks with Fastify and pg on Node.js. A statement with a name is prepared once by each connection.

pg.types.setTypeParser(1184, (text) => `${text.replace(' ', 'T')}:00`)
pg.types.setTypeParser(1082, (text) => text)
const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  options: '-c TimeZone=UTC',
  max: 10,
})

const columns = `
  id, user_id, list_id, parent_id, position, title, description, completed_at is not null as completed, completed_at,
  priority, tags, due_date, due_time, time_zone, recurrence, repeat_from, series_id, occurrence, reminders, version,
  created_at, updated_at, deleted_at`

const orders = {
  created_at: 'created_at desc, id desc',
  updated_at: 'updated_at desc, id desc',
  due_date: "coalesce(due_date + coalesce(due_time, '23:59:59.5'), 'infinity'), id",
  priority: 'priority desc, id desc',
  title: 'title_key, id',
}

const text = { type: ['string', 'null'] }
const fields = {
  title: { type: 'string', minLength: 1, maxLength: 500 },
  description: { type: ['string', 'null'], maxLength: 20_000 },
  priority: { enum: ['none', 'low', 'medium', 'high'] },
  tags: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 50 }, maxItems: 20 },
  due_date: { type: ['string', 'null'], format: 'date' },
  due_time: text,
  time_zone: text,
}
const object = (properties, required = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const params = object({ id: { type: 'string', format: 'uuid' } })
const task = object({
  id: { type: 'string' },
  user_id: { type: 'string' },
  list_id: text,
  parent_id: text,
  position: { type: 'string' },
  title: { type: 'string' },
  description: text,
  completed: { type: 'boolean' },
  completed_at: text,
  priority: { type: 'string' },
  tags: { type: 'array', items: { type: 'string' } },
  due_date: text,
  due_time: text,
  time_zone: text,
  recurrence: text,
  repeat_from: text,
  series_id: text,
  occurrence: text,
  reminders: { type: 'array', items: { type: 'string' } },
  version: { type: 'integer' },
  created_at: { type: 'string' },
  updated_at: { type: 'string' },
  deleted_at: text,
})
const completed = object({ ...task.properties, next_task: text })
const query = object({
  status: { enum: ['all', 'pending', 'completed'] },
  priority: { type: 'string' },
  due_before: { type: 'string', format: 'date' },
  q: { type: 'string', maxLength: 200 },
  sort: { enum: Object.keys(orders), default: 'created_at' },
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
})

const app = Fastify()
await app.register(jwt, {
  secret: process.env.BETTER_AUTH_SECRET,
  verify: { algorithms: ['HS256'] },
})
app.addHook('onRequest', (request) => request.jwtVerify())

const notFound = { detail: 'You have no task with this id.' }
const answer = (reply, [row]) => (row ? row : reply.code(404).send(notFound))

app.get(
  '/api/tasks',
  { schema: { querystring: query, response: { 200: { type: 'array', items: task } } } },
  async (request) => {
    const { status, priority, due_before, q, sort, limit } = request.query
    const values = [request.user.sub, limit]
    const value = (one) => `$${values.push(one)}`
    const conditions = [
      'user_id = $1',
      'deleted_at is null',
      ...(status === 'pending' ? ['completed_at is null'] : []),
      ...(status === 'completed' ? ['completed_at is not null'] : []),
      ...(priority ? [`priority = any(${value(priority.split(','))})`] : []),
      ...(due_before ? [`due_date <= ${value(due_before)}`] : []),
    ]
    if (q) {
      const pattern = value(`%${q}%`)
      conditions.push(
        `(title ilike ${pattern} or description ilike ${pattern} or array_to_string(tags, ' ') ilike ${pattern})`,
      )
    }
    const statement = `select ${columns} from docket.tasks where ${conditions.join(' and ')} order by ${orders[sort]} limit $2`
    // The few combinations that there are: each is prepared under a name of its own.
    const name = `list ${status} ${!!priority} ${!!due_before} ${!!q} ${sort}`
    return (await pool.query({ name, text: statement, values })).rows
  },
)

app.get(
  '/api/tasks/:id',
  { schema: { params, response: { 200: task } } },
  async (request, reply) => {
    const { rows } = await pool.query({
      name: 'get',
      text: `select ${columns} from docket.tasks where user_id = $1 and id = $2 and deleted_at is null`,
      values: [request.user.sub, request.params.id],
    })
    return answer(reply, rows)
  },
)

app.post(
  '/api/tasks',
  { schema: { body: object(fields, ['title']), response: { 201: task } } },
  async (request, reply) => {
    const { body } = request
    const { rows } = await pool.query({
      name: 'post',
      text: `
        insert into docket.tasks (id, user_id, title, description, priority, tags, due_date, due_time, time_zone)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning ${columns}`,
      values: [
        randomUUID(),
        request.user.sub,
        body.title,
        body.description ?? null,
        body.priority ?? 'none',
        body.tags ?? [],
        body.due_date ?? null,
        body.due_time ?? null,
        body.time_zone ?? null,
      ],
    })
    return reply.code(201).send(rows[0])
  },
)

app.patch(
  '/api/tasks/:id',
  { schema: { params, body: { ...object(fields), minProperties: 1 }, response: { 200: task } } },
  async (request, reply) => {
    // Only names of the schema are left in the body.
    const names = Object.keys(request.body).toSorted()
    const assignments = names.map((name, index) => `${name} = $${index + 3}`)
    const { rows } = await pool.query({
      name: `patch ${names.join(' ')}`,
      text: `
        update docket.tasks
        set ${assignments.join(', ')}, version = version + 1, updated_at = now()
        where user_id = $1 and id = $2 and deleted_at is null
        returning ${columns}`,
      values: [request.user.sub, request.params.id, ...names.map((name) => request.body[name])],
    })
    return answer(reply, rows)
  },
)

app.post(
  '/api/tasks/:id/complete',
  {
    schema: {
      params,
      body: object({ completed: { type: 'boolean' } }, ['completed']),
      response: { 200: completed },
    },
  },
  async (request, reply) => {
    const { rows } = await pool.query({
      name: 'complete',
      text: `
        update docket.tasks
        set completed_at = case when $3 then coalesce(completed_at, now()) end,
          version = version + 1, updated_at = now()
        where user_id = $1 and id = $2 and deleted_at is null
        returning ${columns}, null as next_task`,
      values: [request.user.sub, request.params.id, request.body.completed],
    })
    return answer(reply, rows)
  },
)

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
