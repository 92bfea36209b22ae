import { expect, test } from 'bun:test'
import { type TSchema, Type as t } from '@sinclair/typebox'
import type { Statement } from 'postgres'
import * as accessTokens from '../../src/auth/access-tokens.ts'
import { insertClient } from '../../src/auth/client-writes.ts'
import { findProgram } from '../../src/auth/program-tokens.ts'
import * as authQueries from '../../src/auth/queries.ts'
import { readerOf } from '../../src/changes/queries.ts'
import type { Sql } from '../../src/database/connect.ts'
import type { Db, Gate } from '../../src/database/gate/gate.ts'
import { textOf } from '../../src/database/gate/share.ts'
import { readHead, readHeads } from '../../src/database/log/heads.ts'
import { raiseNumber } from '../../src/database/log/moving.ts'
import { findAnswer } from '../../src/database/log/once.ts'
import {
  answeredWith,
  changeTogether,
  createTogether,
  onlyAnswered,
} from '../../src/database/log/together.ts'
import { write } from '../../src/database/log/writes.ts'
import { countRequest } from '../../src/database/rates.ts'
import { readiness } from '../../src/database/readiness.ts'
import { readLedger } from '../../src/database/schema/ledger.ts'
import * as deliveryQueries from '../../src/deliveries/queries.ts'
import * as feedQueries from '../../src/feeds/queries.ts'
import { FeedSchema } from '../../src/feeds/schema.ts'
import * as feedWrites from '../../src/feeds/writes.ts'
import * as filterQueries from '../../src/filters/queries.ts'
import { FilterSchema } from '../../src/filters/schema.ts'
import * as filterTransfer from '../../src/filters/transfer.ts'
import * as filterWrites from '../../src/filters/writes.ts'
import * as historyQueries from '../../src/history/queries.ts'
import * as historyWrites from '../../src/history/writes.ts'
import { titleKey } from '../../src/http/fold.ts'
import { nullable as orNull } from '../../src/http/formats.ts'
import * as listQueries from '../../src/lists/queries.ts'
import { ListSchema } from '../../src/lists/schema.ts'
import { listJson } from '../../src/lists/table.ts'
import * as listTransfer from '../../src/lists/transfer.ts'
import * as listWrites from '../../src/lists/writes.ts'
import * as meQueries from '../../src/me/queries.ts'
import { DeletedSchema, SessionSchema } from '../../src/me/schema.ts'
import * as programQueries from '../../src/programs/queries.ts'
import * as programWrites from '../../src/programs/writes.ts'
import * as pushQueries from '../../src/push/queries.ts'
import { SubscriptionSchema } from '../../src/push/schema.ts'
import * as pushWrites from '../../src/push/writes.ts'
import { fire, listReminded } from '../../src/reminders/queries.ts'
import { conditionOf } from '../../src/tasks/filter/condition.ts'
import { testsOf } from '../../src/tasks/filter/meaning.ts'
import { parseFilter } from '../../src/tasks/filter/parse.ts'
import { findKnown } from '../../src/tasks/filter/queries.ts'
import * as ofListQueries from '../../src/tasks/of-list-queries.ts'
import { countTasks, readPage } from '../../src/tasks/pages/read.ts'
import * as queries from '../../src/tasks/queries.ts'
import * as seriesQueries from '../../src/tasks/recurrence/queries.ts'
import type { ListQuery } from '../../src/tasks/rules.ts'
import { TaskSchema } from '../../src/tasks/schema.ts'
import { taskJson } from '../../src/tasks/table.ts'
import * as tagQueries from '../../src/tasks/tag-queries.ts'
import * as transfer from '../../src/tasks/transfer.ts'
import * as treeQueries from '../../src/tasks/trees/queries.ts'
import * as usageQueries from '../../src/tasks/usage/queries.ts'
import * as writes from '../../src/tasks/writes.ts'
import * as tokenQueries from '../../src/tokens/queries.ts'
import { AccessTokenSchema } from '../../src/tokens/schema.ts'
import * as tokenWrites from '../../src/tokens/writes.ts'
import * as webhookQueries from '../../src/webhooks/queries.ts'
import { DeliverySchema, WebhookSchema } from '../../src/webhooks/schema.ts'
import * as webhookWrites from '../../src/webhooks/writes.ts'
import { sql, accounts as tables } from '../support/app.ts'
import { author } from '../support/tasks.ts'

// Every statement of the program is described by the database, and its columns are compared with its row in TypeBox:
// the names, the types, and what may be null.

/** How a statement goes through the gate, and once more where twice is once; straight: past it, by itself. */
type Way = Exclude<keyof Db, 'share'> | 'shared' | 'shared, idempotent' | 'straight'
type Description = { way: Way; text: string; parameters: number[]; columns: Statement['columns'] }

/** Runs `use` with a database that describes statements instead of executing them, and gives the descriptions. */
async function describe(use: (db: Gate, sql: Sql) => unknown): Promise<Description[]> {
  let way: Way = 'straight'
  const described: Description[] = []
  const describing = new Proxy(sql, {
    apply(target, self, parameters) {
      const query = Reflect.apply(target, self, parameters)
      // Only what is awaited is a statement; what is not is part of another one.
      if (parameters[0]?.raw !== undefined) {
        const then = Object.getPrototypeOf(query).then
        query.then = (resolve: (rows: unknown[]) => void, reject: (error: unknown) => void) =>
          then.call(
            query.describe(),
            ({ string, types, columns }: Statement) => {
              described.push({ way, text: string, parameters: types, columns })
              resolve([])
            },
            reject,
          )
      }
      return query
    },
  })
  const going =
    (name: Way): Db['read'] =>
    async (statement) => {
      way = name
      return statement(describing)
    }
  const db: Db = {
    read: going('read'),
    write: going('write'),
    idempotentWrite: going('idempotentWrite'),
    share: async (shared, ask) => {
      way = shared.isIdempotent ? 'shared, idempotent' : 'shared'
      const [row] = await shared.statement(describing, textOf(shared, [{ ...ask }]))
      return row
    },
  }
  const never = Number.NEGATIVE_INFINITY
  const seen = () => ({ reachable: false, at: never, readOnly: false, writesAt: never })
  await use({ ...db, for: () => db, seen, learn: async () => true }, describing)
  return described
}

const id = crypto.randomUUID()
const task = { title: 'A task' }

/** Rows of shared statements: whose they are, and a task as text, which every other test holds against its schema. */
const n = t.Integer()
const version = t.Integer()
const json = t.String()
const word = t.String()
const foundRow = t.Object({ n, text: json, version })
const written = t.Object({ n, request: t.String(), text: json, version, is_made: t.Boolean() })

const sorts = ['created_at', 'updated_at', 'due_date', 'priority', 'title'] as const
const positions = {
  created_at: ['2026-11-20T22:36:42.123456+00:00'],
  updated_at: ['2026-11-20T22:36:42+00:00'],
  due_date: ['2026-12-01T18:30:00', 'infinity'],
  priority: ['high'],
  title: [titleKey('A')],
}
const filters: ListQuery = {
  status: 'pending',
  priority: ['high', 'low'],
  tag: ['home'],
  due_after: '2026-01-01',
  due_before: '2026-12-31',
  q: 'some words',
}
const lists = [
  { list: 'none' as const, sort: 'position' as const },
  { list: id, tag: ['home'] },
  { parent: id, include: 'subtasks' as const },
  { include: 'subtasks' as const, q: 'word' },
  { archived: true, parent: 'none' },
]
  .map((query) => (db: Db) => readPage(db, 'alice', query, null, 50))
  .concat(
    sorts.flatMap((sort) =>
      (['asc', 'desc'] as const).flatMap((order) =>
        [{}, filters, { q: 'word' }, { status: 'completed', deleted: true } as const].flatMap(
          (filter) =>
            [null, ...positions[sort].map((key) => ({ key, id }))].map(
              (after) => (db: Db) => readPage(db, 'alice', { ...filter, sort, order }, after, 50),
            ),
        ),
      ),
    ),
  )

const counted: ListQuery[] = [
  {},
  { deleted: true },
  { due: 'none' },
  { due_before: '2026-12-31' },
  filters,
  { q: 'word', deleted: true },
]

const readChanges = readerOf([
  { type: 'task', json: taskJson },
  { type: 'list', json: listJson },
])

const user = { id: 'alice', created_at: '2026-11-20T22:36:42.123456+00:00' }

/** Every exported query: what it is to the gate, and calls that between them reach every form of its text. */
const statements: Record<
  | Exclude<keyof typeof queries, 'isThere' | 'placeOf' | 'searchText' | 'searchTextOfAll'>
  | Exclude<keyof typeof writes, 'taskKind' | 'taskCreation'>
  | keyof typeof transfer
  | keyof typeof usageQueries
  | 'readPage'
  | 'countTasks'
  | 'readChanges'
  | 'readHead'
  | 'readHeads',
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  readPage: [
    'shared, idempotent',
    t.Object({
      n,
      count: t.Integer(),
      text: json,
      keys: t.String(),
      key: t.String(),
      id: TaskSchema.properties.id,
      took: t.Number(),
      archives: t.Boolean(),
      seq: t.String(),
    }),
    lists,
  ],
  countTasks: [
    'shared, idempotent',
    t.Object({
      n,
      count: t.Integer(),
      key: t.String(),
      id: TaskSchema.properties.id,
      took: t.Number(),
    }),
    counted.map((query) => (db: Db) => countTasks(db, 'alice', query)),
  ],
  readChanges: [
    'shared, idempotent',
    t.Object({ n, head: t.String(), text: json, last: t.String(), more: t.Boolean() }),
    [(db) => readChanges(db, 'alice', 0, 10)],
  ],
  readHead: [
    'shared, idempotent',
    t.Object({ n, seq: t.String() }),
    [(db) => readHead(db, 'alice')],
  ],
  readHeads: [
    'read',
    t.Object({ id: t.String(), seq: t.String() }),
    [(db) => readHeads(db, ['alice', 'bob'])],
  ],
  findTask: ['shared, idempotent', foundRow, [(db) => queries.findTask(db, 'alice', id)]],
  findPlace: [
    'shared, idempotent',
    t.Object({ n, list_id: orNull(t.String({ format: 'uuid' })), version: t.Integer() }),
    [(db) => queries.findPlace(db, 'alice', id)],
  ],
  insertTask: [
    'shared, idempotent',
    written,
    [(db) => writes.insertTask(db, author('alice'), id, task)],
  ],
  updateTask: [
    'shared',
    written,
    [
      (db) =>
        writes.updateTask(db, author('alice'), id, [1], { changes: task, course: { version: 1 } }),
    ],
  ],
  completeTask: [
    'shared',
    written,
    [(db) => writes.completeTask(db, author('alice'), id, null, true)],
  ],
  deleteTask: ['shared', written, [(db) => writes.deleteTask(db, author('alice'), id, null)]],
  restoreTask: ['shared', written, [(db) => writes.restoreTask(db, author('alice'), id, null)]],
  exportTasks: [
    'read',
    t.Object({ seq: t.String(), text: json }),
    [(db) => transfer.exportTasks(db, 'alice', '0', 200)],
  ],
  exportChanges: [
    'read',
    t.Object({
      n,
      previous: t.String(),
      at: TaskSchema.properties.created_at,
      actor: t.Union([t.String(), t.Null()]),
      request_id: t.Union([t.String(), t.Null()]),
      action: t.String(),
      before: t.Union([json, t.Null()]),
      found: t.Integer(),
    }),
    [(db) => transfer.exportChanges(db, 'alice', [{ n: 0, seq: '1', most: 9 }], 9)],
  ],
  importTasks: [
    'idempotentWrite',
    t.Object({ n, is_made: t.Boolean(), done: t.Union([json, t.Null()]) }),
    [(db) => transfer.importTasks(db, [], 'test')],
  ],
  findPresentTasks: [
    'read',
    t.Object({
      id: TaskSchema.properties.id,
      version,
      updated_at: TaskSchema.properties.updated_at,
      list_id: TaskSchema.properties.list_id,
      parent_id: TaskSchema.properties.parent_id,
      is_trashed: t.Boolean(),
      bytes: t.Integer(),
    }),
    [(db) => transfer.findPresentTasks(db, 'alice', [id])],
  ],
  placeTasks: [
    'idempotentWrite',
    t.Object({}),
    [
      (db) =>
        transfer.placeTasks(db, [
          { user_id: 'alice', id, parent_id: id, version: 1, updated_at: user.created_at },
        ]),
    ],
  ],
  listTrees: [
    'read',
    t.Object({ id: TaskSchema.properties.id }),
    [(db) => transfer.listTrees(db, 'alice', 9)],
  ],
  adoptTasks: [
    'idempotentWrite',
    t.Object({ id: TaskSchema.properties.id }),
    [(db) => transfer.adoptTasks(db, author('alice'), 'a guest', [id], [{ id, new_id: id }])],
  ],
  findUser: [
    'read',
    t.Object({
      id: t.String(),
      created_at: TaskSchema.properties.created_at,
      time_zone: t.Union([t.String(), t.Null()]),
    }),
    [(db) => transfer.findUser(db, 'alice')],
  ],
  measureSlice: [
    'read',
    t.Object({ tasks: t.Integer(), bytes: t.Number(), last: TaskSchema.properties.id }),
    [(db) => usageQueries.measureSlice(db, 'alice', id, 10)],
  ],
  isMade: [
    'read',
    t.Object({ made: t.Boolean() }),
    [(db) => usageQueries.isMade(db, 'alice', id, 'a key')],
  ],
  importUser: ['idempotentWrite', t.Object({}), [(db) => transfer.importUser(db, user)]],
  analyze: ['idempotentWrite', t.Object({}), [(db) => transfer.analyze(db)]],
}

const { taskKind } = writes
const { listKind } = listWrites
const changes = [
  { kind: taskKind, id, version: 1, fields: { title: 'Old', tags: ['home'] }, isDiscarded: false },
]
const changesOfTwo = [
  { kind: listKind, id, version: 1, fields: { color: '#000000' }, isDiscarded: true },
  ...changes,
]
const changesOfAllStages = changes.flatMap((one) => [
  one,
  { ...one, fields: { completed_at: null } },
  { ...one, fields: task, fate: 'made' as const },
  { ...one, fields: {}, fate: 'gone' as const },
])
const chains = t.Object({
  last: t.Number(),
  first: t.Number(),
  is_beyond: t.Boolean(),
  is_missing: t.Boolean(),
  things: json,
  changes: json,
})
const from = { since: 1, from: '2026-11-20T22:36:42Z' }
const wanted = [
  { request_id: 'x' },
  { seq: 1 },
  { ...from, by: {} },
  { ...from, by: { name: 'A' } },
]

const listed = { name: 'A list', color: '#3366CC' }
const placed = { id: TaskSchema.properties.id, version }

/** Of lists. */
const ofLists: Record<
  | keyof typeof listQueries
  | keyof typeof ofListQueries
  | Exclude<keyof typeof listWrites, 'listKind'>
  | keyof typeof listTransfer,
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  findList: ['shared, idempotent', foundRow, [(db) => listQueries.findList(db, 'alice', id)]],
  readLists: [
    'read',
    t.Object({ seq: word, text: json }),
    [{}, { archived: true }, { archived: false, counts: true }, { deleted: true }].map(
      (query) => (db: Db) => listQueries.readLists(db, 'alice', query),
    ),
  ],
  findAnyList: [
    'read',
    t.Object({
      id: ListSchema.properties.id,
      version,
      text: json,
      deleted_at: ListSchema.properties.deleted_at,
    }),
    [(db) => listQueries.findAnyList(db, 'alice', id)],
  ],
  readPlaces: [
    'read',
    t.Object({ ...placed, position: word }),
    [(db) => listQueries.readPlaces(db, 'alice')],
  ],
  listInList: [
    'read',
    t.Object(placed),
    [true, false].map((isPart) => (db: Db) => ofListQueries.listInList(db, 'alice', id, 9, isPart)),
  ],
  listTrashInList: [
    'read',
    t.Object({ ...placed, parent_id: TaskSchema.properties.parent_id, has_parent: t.Boolean() }),
    [true, false].map(
      (isPart) => (db: Db) =>
        ofListQueries.listTrashInList(db, 'alice', id, user.created_at, 9, isPart),
    ),
  ],
  exportLists: [
    'read',
    t.Object({ seq: word, text: json }),
    [(db) => listTransfer.exportLists(db, 'alice', '0', 200)],
  ],
  importLists: [
    'idempotentWrite',
    t.Object({ n, is_made: t.Boolean(), done: t.Union([json, t.Null()]) }),
    [(db) => listTransfer.importLists(db, [], 'test')],
  ],
  findPresentLists: [
    'read',
    t.Object({ id: ListSchema.properties.id, version, is_trashed: t.Boolean() }),
    [(db) => listTransfer.findPresentLists(db, 'alice')],
  ],
  trashLists: [
    'idempotentWrite',
    t.Object({}),
    [
      (db) =>
        listTransfer.trashLists(db, [
          {
            user_id: 'alice',
            id,
            version: 1,
            updated_at: user.created_at,
            deleted_at: user.created_at,
          },
        ]),
    ],
  ],
  listAdopted: [
    'read',
    t.Object({ id: ListSchema.properties.id, is_taken: t.Boolean() }),
    [(db) => listTransfer.listAdopted(db, 'alice', 'a guest')],
  ],
  copyLists: [
    'idempotentWrite',
    t.Object({ '?column?': t.Integer() }),
    [(db) => listTransfer.copyLists(db, author('alice'), 'a guest', [{ id, new_id: id }])],
  ],
  leaveLists: [
    'idempotentWrite',
    t.Object({ '?column?': t.Integer() }),
    [(db) => listTransfer.leaveLists(db, author('alice'), [id])],
  ],
  insertList: [
    'shared, idempotent',
    written,
    [(db) => listWrites.insertList(db, author('alice'), id, listed)],
  ],
  updateList: [
    'shared',
    written,
    [
      (db) =>
        listWrites.updateList(db, author('alice'), id, [1], {
          changes: listed,
          course: { version: 1 },
        }),
    ],
  ],
  placeList: [
    'shared',
    written,
    [(db) => listWrites.placeList(db, author('alice'), id, null, { spot: 'end' })],
  ],
}

/** Of the log, of whatever is in it. */
const ofHistory: Record<
  | Exclude<keyof typeof historyQueries, 'most'>
  | keyof typeof tagQueries
  | Exclude<keyof typeof treeQueries, 'mostInTree'>
  | keyof typeof seriesQueries
  | 'changeTogether'
  | 'createTogether',
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  readHistory: [
    'read',
    t.Object({ json, text: t.Union([json, t.Null()]), changes: json }),
    [null, { seq: 9, text: 8, digest: 'x' }].map(
      (below) => (db: Db) => historyQueries.readHistory(db, 'alice', taskKind.table, id, below, 50),
    ),
  ],
  readActivity: [
    'read',
    t.Object({ text: json, next: t.Union([t.Number(), t.Null()]) }),
    [
      { kinds: null, name: null },
      { kinds: ['token', 'program'], name: 'Claude' },
    ].map(
      (by) => async (db: Db) =>
        historyQueries
          .readActivity(db, 'alice', [taskKind.table, listKind.table], by, 9, 50)
          .catch(() => null),
    ),
  ],
  readChains: [
    'read',
    chains,
    wanted.map(
      (one) => async (db: Db) =>
        // There is always a row, but for who only describes.
        historyQueries
          .readChains(db, 'alice', [taskKind.table, listKind.table], one)
          .catch(() => null),
    ),
  ],
  listTrash: [
    'read',
    t.Object({ created_at: TaskSchema.properties.created_at, id: TaskSchema.properties.id }),
    [(db) => historyQueries.listTrash(db, 'alice', taskKind.table, null, 50)],
  ],
  listOldTrash: [
    'read',
    t.Object({
      user_id: t.String(),
      id: TaskSchema.properties.id,
      until: TaskSchema.properties.created_at,
    }),
    [(db) => historyQueries.listOldTrash(db, taskKind.table, 30, 50)],
  ],
  changeTogether: [
    'write',
    t.Object({ request: word, answer: json }),
    [
      (db) => changeTogether(db, author('alice'), changes, null),
      (db) => changeTogether(db, author('alice'), changesOfTwo, null, onlyAnswered(listKind, id)),
      (db) =>
        changeTogether(
          db,
          author('alice'),
          changesOfAllStages,
          null,
          answeredWith(taskKind, id, 'next_task', { id, text: null }),
        ),
    ],
  ],
  createTogether: [
    'idempotentWrite',
    t.Object({ request: word, answer: json }),
    [
      (db) =>
        createTogether(db, taskKind.table, writes.taskCreation, [{ ...author('alice'), id }], null),
    ],
  ],
  countSlice: [
    'read',
    t.Object({ found: json, last: TaskSchema.properties.id }),
    [(db) => tagQueries.countSlice(db, 'alice').catch(() => null)],
  ],
  taggedSlice: [
    'read',
    t.Object({ found: json, last: TaskSchema.properties.id }),
    [(db) => tagQueries.taggedSlice(db, 'alice', 'home').catch(() => null)],
  ],
  readTrees: [
    'read',
    t.Object({
      root: t.Object({}),
      text: t.Union([json, t.Null()]),
      nodes: t.Object({}),
      above: t.Union([t.Object({}), t.Null()]),
      target: t.Union([t.Object({}), t.Null()]),
      hasList: t.Boolean(),
    }),
    [(db) => treeQueries.readTrees(db, 'alice', [id], null, true)],
  ],
  readSeries: [
    'read',
    t.Object({
      id: TaskSchema.properties.id,
      zone: t.Union([t.String(), t.Null()]),
      task: t.Object({}),
      after: t.String(),
      isTaken: t.Boolean(),
      successors: t.Object({}),
      under: t.Object({}),
    }),
    [(db) => seriesQueries.readSeries(db, 'alice', [id])],
  ],
  readAnchor: [
    'read',
    t.Object({
      list_id: TaskSchema.properties.list_id,
      parent_id: TaskSchema.properties.parent_id,
      position: word,
      before: t.Union([word, t.Null()]),
      after: t.Union([word, t.Null()]),
    }),
    [(db) => treeQueries.readAnchor(db, 'alice', id)],
  ],
  readAround: [
    'read',
    t.Object({ id: TaskSchema.properties.id, version, position: word }),
    [
      (db) => treeQueries.readAround(db, 'alice', null, 'i000000001', 50),
      (db) => treeQueries.readAround(db, 'alice', id, 'i000000001', 50),
    ],
  ],
}

/** Every condition that there is. */
const everything = testsOf(
  parseFilter(
    `is:done -is:overdue p:>low #a due:>today due:none created:any updated:<today completed:today..2026-12-31 (title:a or description:b
    or text:c or a) has:due has:time has:description has:tag has:list has:parent list:Home`,
  ),
  { zone: 'UTC', date: '2026-11-27' },
  [{ id, name: 'Home' }],
)
const page = statements.readPage[1]
const count = statements.countTasks[1]

/** With a filter, and of filters. */
const ofFilters: Record<
  | 'readPage with a filter'
  | 'countTasks with a filter'
  | 'findKnown'
  | Exclude<keyof typeof filterQueries, 'columns'>
  | keyof typeof filterTransfer
  | keyof typeof filterWrites,
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  'readPage with a filter': [
    'read',
    page,
    sorts.flatMap((sort) =>
      [null, { key: positions[sort][0] ?? '', id }].map(
        (after) => (db: Db) =>
          readPage(db, 'alice', { ...filters, sort, filter: everything }, after, 50),
      ),
    ),
  ],
  'countTasks with a filter': [
    'read',
    count,
    [
      (db) => countTasks(db, 'alice', { filter: everything }),
      (db) => countTasks(db, 'alice', { ...filters, deleted: true, filter: everything }),
    ],
  ],
  findKnown: [
    'shared, idempotent',
    t.Object({ n, time_zone: t.String(), lists: json, filters: json }),
    [
      (db) =>
        findKnown(db, 'alice', { today: true, lists: true, filters: ['a'] }, false).catch(
          () => null,
        ),
    ],
  ],
  listFilters: ['read', FilterSchema, [(db) => filterQueries.listFilters(db, 'alice')]],
  insertFilter: [
    'idempotentWrite',
    t.Composite([FilterSchema, t.Object({ is_made: t.Boolean(), is_like_it: t.Boolean() })]),
    [(db) => filterWrites.insertFilter(db, 'alice', id, { name: 'A', filter: '#a' })],
  ],
  updateFilter: [
    'idempotentWrite',
    FilterSchema,
    [(db) => filterWrites.updateFilter(db, 'alice', id, { name: 'A' })],
  ],
  importFilter: [
    'idempotentWrite',
    t.Object({}),
    [
      (db) =>
        filterTransfer.importFilter(db, {
          id,
          user_id: 'alice',
          name: 'A',
          filter: '#a',
          created_at: user.created_at,
          updated_at: user.created_at,
        }),
    ],
  ],
  adoptFilters: [
    'idempotentWrite',
    t.Object({}),
    [(db) => filterTransfer.adoptFilters(db, 'alice', 'a guest')],
  ],
  deleteFilter: ['write', FilterSchema, [(db) => filterWrites.deleteFilter(db, 'alice', id)]],
}

const feed = { name: 'A', list_id: id, filter: '#a' }

/** Of calendar feeds. */
const ofFeeds: Record<
  Exclude<keyof typeof feedQueries, 'columns'> | keyof typeof feedWrites,
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  listFeeds: ['read', FeedSchema, [(db) => feedQueries.listFeeds(db, 'alice')]],
  findFeed: [
    'read',
    t.Object({
      id: FeedSchema.properties.id,
      user_id: t.String(),
      name: t.String(),
      list_id: FeedSchema.properties.list_id,
      filter: t.Union([t.String(), t.Null()]),
      is_used: t.Boolean(),
      list_is_there: t.Boolean(),
      list_is_archived: t.Boolean(),
    }),
    [(db) => feedQueries.findFeed(db, 'a digest')],
  ],
  insertFeed: [
    'idempotentWrite',
    t.Composite([FeedSchema, t.Object({ is_made: t.Boolean() })]),
    [(db) => feedWrites.insertFeed(db, 'alice', id, 'a digest', feed)],
  ],
  updateFeed: [
    'idempotentWrite',
    FeedSchema,
    [
      (db) => feedWrites.updateFeed(db, 'alice', id, feed),
      (db) => feedWrites.updateFeed(db, 'alice', id, { list_id: null, filter: null }),
    ],
  ],
  rotateFeed: [
    'idempotentWrite',
    FeedSchema,
    [(db) => feedWrites.rotateFeed(db, 'alice', id, 'a digest')],
  ],
  deleteFeed: ['write', FeedSchema, [(db) => feedWrites.deleteFeed(db, 'alice', id)]],
  markUsed: ['idempotentWrite', t.Object({}), [(db) => feedWrites.markUsed(db, 'alice', id)]],
}

/** With its arrays as the database says them. */
const accessToken = t.Composite([
  t.Omit(AccessTokenSchema, ['scopes', 'list_ids']),
  t.Object({ scopes: t.Array(t.String()), list_ids: orNull(t.Array(t.String())) }),
])
const kept = { digest: 'a digest', hint: 'x7Qd' }
const token = { name: 'A', scopes: ['tasks:read' as const], expires_at: null }

/** Of access tokens. */
const ofTokens: Record<
  | Exclude<keyof typeof tokenQueries, 'columns'>
  | keyof typeof tokenWrites
  | 'findAccessToken'
  | 'markTokenUsed',
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  listAccessTokens: ['read', accessToken, [(db) => tokenQueries.listAccessTokens(db, 'alice')]],
  insertAccessToken: [
    'idempotentWrite',
    t.Composite([accessToken, t.Object({ has_lists: t.Boolean() })]),
    [null, [id]].map(
      (list_ids) => (db: Db) =>
        tokenWrites.insertAccessToken(db, 'alice', id, { ...token, list_ids }, kept),
    ),
  ],
  rotateAccessToken: [
    'idempotentWrite',
    accessToken,
    [(db) => tokenWrites.rotateAccessToken(db, 'alice', id, kept)],
  ],
  deleteAccessToken: [
    'write',
    accessToken,
    [(db) => tokenWrites.deleteAccessToken(db, 'alice', id)],
  ],
  findAccessToken: [
    'shared, idempotent',
    t.Object({
      n,
      user_id: t.String(),
      id: t.String({ format: 'uuid' }),
      name: t.String(),
      scopes: t.Array(t.String()),
      list_ids: orNull(t.Array(t.String())),
      expires_at: orNull(t.String({ format: 'date-time' })),
      is_used: t.Boolean(),
    }),
    [(db) => accessTokens.findAccessToken(db, 'a digest')],
  ],
  markTokenUsed: [
    'idempotentWrite',
    t.Object({}),
    [(db) => accessTokens.markUsed(db, 'alice', id)],
  ],
}

/** A program that was let in. */
const consent = t.Object({
  id: t.String(),
  name: orNull(t.String()),
  redirect_uris: t.Array(t.String()),
  scopes: t.Array(t.String()),
  created_at: t.String({ format: 'date-time' }),
  last_used_on: t.String({ format: 'date' }),
})

/** Of programs. */
const ofPrograms: Record<
  | Exclude<keyof typeof programQueries, 'columns'>
  | keyof typeof programWrites
  | 'findProgram'
  | 'deleteAccessTokens',
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  listPrograms: ['read', consent, [(db) => programQueries.listPrograms(db, 'alice')]],
  deleteProgram: ['write', consent, [(db) => programWrites.deleteProgram(db, 'alice', 'an id')]],
  findProgram: [
    'shared, idempotent',
    t.Object({
      n,
      // Of a row that was joined by it.
      user_id: orNull(t.String()),
      name: orNull(t.String()),
      given: t.Array(t.String()),
      consented: t.Array(t.String()),
      expires_at: t.String({ format: 'date-time' }),
    }),
    [(db) => findProgram(db, 'a digest', 'https://tasks.example.com')],
  ],
  deleteAccessTokens: [
    'idempotentWrite',
    t.Object({}),
    [(db) => accessTokens.deleteAccessTokens(db, 'alice')],
  ],
}

const keys = t.Object({ public_key: t.String(), private_key: t.String() })

/** Of browsers that show reminders. */
const ofPush: Record<string, [Way, TSchema, ((db: Db) => unknown)[]]> = {
  listSubscriptions: [
    'read',
    SubscriptionSchema,
    [(db) => pushQueries.listSubscriptions(db, 'alice')],
  ],
  insertSubscription: [
    'idempotentWrite',
    SubscriptionSchema,
    [
      (db) =>
        pushWrites.insertSubscription(db, 'alice', {
          endpoint: 'https://push.example/1',
          keys: { p256dh: '', auth: '' },
        }),
    ],
  ],
  deleteSubscription: [
    'write',
    SubscriptionSchema,
    [(db) => pushWrites.deleteSubscription(db, 'alice', id)],
  ],
  adoptSubscriptions: [
    'idempotentWrite',
    t.Object({}),
    [(db) => pushWrites.adoptSubscriptions(db, 'alice', 'a guest')],
  ],
}

const uuid = t.String({ format: 'uuid' })
const claimed = t.Object({
  user_id: t.String(),
  id: uuid,
  kind: t.String(),
  target: uuid,
  type: t.String(),
  body: t.String(),
  tries: t.Integer(),
  is_more: t.Boolean(),
  wait: t.Number(),
  address: t.String(),
})
const settlement: deliveryQueries.Settlement = {
  user_id: 'alice',
  id,
  tries: 1,
  outcome: 'failed',
  code: 503,
  reason: null,
  is_gone: false,
  pause: 5,
}
/** Of which webhooks are told. */
const logged = [taskKind, listKind].map(({ table: { type, name } }) => ({
  type,
  name,
  isFiltered: type === 'task',
}))
const secret = Buffer.alloc(32)
/** To the database these are any texts. */
const webhookRow = t.Composite([
  t.Omit(WebhookSchema, ['url', 'events']),
  t.Object({ url: t.String(), events: t.Array(t.String()) }),
])
const withSecret = t.Composite([webhookRow, t.Object({ secret: t.String() })])
/** Their status is a word that is chosen by others. */
const delivery = t.Composite([t.Omit(DeliverySchema, ['status']), t.Object({ status: t.String() })])

const ofWebhooks: Record<
  | Exclude<keyof typeof webhookQueries, 'columns' | 'deliveryColumns'>
  | Exclude<keyof typeof webhookWrites, 'webhookTargets' | 'webhookReminders'>
  | 'claim for webhooks'
  | 'settling for webhooks'
  | 'takeChanges with a filter',
  [Way, TSchema, ((db: Db) => unknown)[]]
> = {
  listWebhooks: ['read', webhookRow, [(db) => webhookQueries.listWebhooks(db, 'alice')]],
  findWebhook: ['read', webhookRow, [(db) => webhookQueries.findWebhook(db, 'alice', id)]],
  listDeliveries: ['read', delivery, [(db) => webhookQueries.listDeliveries(db, 'alice', id)]],
  listFollowed: [
    'read',
    t.Object({ user_id: t.String(), is_behind: t.Boolean() }),
    [(db) => webhookQueries.listFollowed(db)],
  ],
  insertWebhook: [
    'idempotentWrite',
    t.Composite([withSecret, t.Object({ is_like_it: t.Boolean() })]),
    [
      (db) =>
        webhookWrites.insertWebhook(
          db,
          'alice',
          id,
          { url: 'https://example.com/', events: ['task.created'] },
          secret,
        ),
    ],
  ],
  updateWebhook: [
    'idempotentWrite',
    webhookRow,
    [
      (db) => webhookWrites.updateWebhook(db, 'alice', id, { active: true }),
      (db) => webhookWrites.updateWebhook(db, 'alice', id, { events: ['task.created'] }),
    ],
  ],
  deleteWebhook: ['write', webhookRow, [(db) => webhookWrites.deleteWebhook(db, 'alice', id)]],
  rotateSecret: [
    'write',
    withSecret,
    [(db) => webhookWrites.rotateSecret(db, 'alice', id, secret)],
  ],
  insertTest: ['write', delivery, [(db) => webhookWrites.insertTest(db, 'alice', id)]],
  retryDelivery: [
    'idempotentWrite',
    delivery,
    [(db) => webhookWrites.retryDelivery(db, 'alice', id, id)],
  ],
  takeChanges: [
    'idempotentWrite',
    t.Object({ made: t.Integer(), is_more: t.Boolean(), is_full: t.Boolean(), left: t.String() }),
    [(db) => webhookWrites.takeChanges(db, 'alice', logged, [])],
  ],
  'takeChanges with a filter': [
    'idempotentWrite',
    t.Object({ made: t.Integer(), is_more: t.Boolean(), is_full: t.Boolean(), left: t.String() }),
    [
      (db) =>
        webhookWrites.takeChanges(db, 'alice', logged, [
          { id, filter: '#a', condition: (pool) => conditionOf(pool, everything) },
        ]),
    ],
  ],
  'claim for webhooks': [
    'idempotentWrite',
    claimed,
    [(db) => deliveryQueries.claim(db, [webhookWrites.webhookTargets], 16, [])],
  ],
  'settling for webhooks': [
    'shared, idempotent',
    t.Object({ n }),
    [(db) => db.share(deliveryQueries.settling([webhookWrites.webhookTargets]), settlement)],
  ],
}

/** A reminder that has come, and what is known besides. */
const event = { user_id: t.String(), id: uuid, event: t.String() }
const fired = t.Object({
  ...event,
  dropped: t.Integer(),
  is_more: t.Boolean(),
  wait: t.Number(),
  question: t.String(),
})

/** A kind of targets that are nowhere else. */
const addresses: deliveryQueries.Targets = {
  kind: 'test',
  address: (pool) => pool`select d.target::text`,
  learn: (pool) => pool`select from settled`,
}

const others: [string, TSchema, (db: Gate, sql: Sql) => unknown][] = [
  ...Object.entries(historyWrites).map(([name, prune]): (typeof others)[number] => [
    name,
    t.Object({}),
    (db) => prune(db, 90, 1000),
  ]),
  [
    'findAnswer',
    t.Object({ request: word, answer: json }),
    (db) => findAnswer(db, 'alice', 'a key'),
  ],
  [
    'purging',
    written,
    (db) => write(db, taskKind.purging, { ...author('alice'), id, versions: [1] }, null),
  ],
  [
    'insertClient',
    t.Object({}),
    (db) =>
      insertClient(db, 'an id', { name: 'A', redirectUris: [] }, 'https://tasks.example.com/mcp'),
  ],
  ['raiseNumber', t.Object({}), (db) => raiseNumber(db, 'alice', 9)],
  ['claim', claimed, (db) => deliveryQueries.claim(db, [addresses], 16, [{ target: id, many: 4 }])],
  [
    'settling',
    t.Object({ n }),
    (db) => db.share(deliveryQueries.settling([addresses]), { ...settlement }),
  ],
  ['fire', fired, (db) => fire(db, { make: [pushWrites.pushReminders] })],
  ['fire for webhooks', fired, (db) => fire(db, webhookWrites.webhookReminders([]))],
  [
    'fire for webhooks with a filter',
    fired,
    (db) =>
      fire(
        db,
        webhookWrites.webhookReminders([
          {
            user_id: 'alice',
            id,
            filter: '#a',
            condition: (pool) => conditionOf(pool, everything),
          },
        ]),
      ),
  ],
  ['listReminded', t.Object(event), (db) => listReminded(db, ['alice'], 60)],
  ['findKeys', keys, (db) => pushQueries.findKeys(db)],
  ['keepKeys', keys, (db) => pushWrites.keepKeys(db, { public_key: 'A', private_key: 'B' })],
  [
    'the target of a push',
    t.Object({ address: t.String() }),
    async (_db, pool) =>
      pool`select (${pushWrites.targets.address(pool)}) as address from docket.deliveries d`,
  ],
  ['pruneDeliveries', t.Object({}), (db) => deliveryQueries.pruneDeliveries(db, 1000)],
  ['readiness', t.Object({ read_only: t.Boolean() }), (db) => readiness(db)()],
  [
    'countRequest',
    t.Object({ allowed: t.Boolean(), debt: t.Number() }),
    (db) => countRequest(db, 'user alice', 1),
  ],
  [
    'readLedger',
    t.Object({
      version: t.Integer(),
      name: t.String(),
      checksum: t.String(),
      breaking: t.Boolean(),
    }),
    (_db, straight) => readLedger(straight),
  ],
]

/** As the anonymous() plugin has them, but for the column, which is another one here. */
const guests = {
  ...tables,
  user: {
    ...tables.user,
    columns: {
      ...tables.user.columns,
      isAnonymous: { name: 'emailVerified', type: 'boolean' },
    },
  },
}
const instant = t.String({ format: 'date-time' })

/** Of Better Auth's tables, which have no `user_id`. */
const accounts: Record<
  keyof typeof authQueries | keyof typeof meQueries,
  [TSchema, (db: Db) => unknown]
> = {
  findSession: [
    t.Object({ n, id: word, session_id: word, name: word, email: word, expires_at: instant }),
    (db) => authQueries.findSession(db, tables, 'a token'),
  ],
  listAddresses: [
    t.Object({ address: word }),
    (db) => authQueries.listAddresses(db, tables, 'ann@example.com'),
  ],
  findKey: [
    t.Object({ jwk: word, expires_at: t.Union([instant, t.Null()]) }),
    (db) => authQueries.findKey(db, tables, 'a key'),
  ],
  findAccount: [
    t.Object({ name: word, email: word }),
    (db) => meQueries.findAccount(db, tables, 'alice'),
  ],
  listSessions: [SessionSchema, (db) => meQueries.listSessions(db, tables, 'alice')],
  deleteSession: [SessionSchema, (db) => meQueries.deleteSession(db, tables, 'alice', id)],
  mayBeGuest: [
    t.Object({ anonymous: t.Boolean() }),
    (db) => meQueries.mayBeGuest(db, guests, 'alice'),
  ],
  findTimeZone: [
    t.Object({ time_zone: t.Union([word, t.Null()]) }),
    (db) => meQueries.findTimeZone(db, 'alice'),
  ],
  setTimeZone: [t.Object({}), (db) => meQueries.setTimeZone(db, 'alice', 'UTC')],
  deleteUser: [DeletedSchema, (db) => meQueries.deleteUser(db, tables, 'alice')],
}
others.push(
  ...Object.entries(accounts).map(([name, [schema, call]]): (typeof others)[number] => [
    name,
    schema,
    call,
  ]),
)

/** All columns of anything but what is asked. */
const starred = /select \*|\b(?!a\b)\w+\.\*/

test('are all here', async () => {
  expect(Object.keys(accounts).toSorted()).toEqual(
    [...Object.keys(authQueries), ...Object.keys(meQueries)].toSorted(),
  )
  expect(Object.keys(statements).toSorted()).toEqual(
    Object.keys({
      ...queries,
      ...writes,
      ...transfer,
      ...usageQueries,
      countTasks,
      readPage,
      readChanges,
      readHead,
      readHeads,
    })
      .filter(
        (name) =>
          ![
            'isThere',
            'placeOf',
            'searchText',
            'searchTextOfAll',
            'taskKind',
            'taskCreation',
          ].includes(name),
      )
      .toSorted(),
  )
  expect(Object.keys(ofHistory).toSorted()).toEqual(
    [
      ...Object.keys(historyQueries),
      ...Object.keys(tagQueries),
      ...Object.keys(treeQueries),
      ...Object.keys(seriesQueries),
      'changeTogether',
      'createTogether',
    ]
      .filter((name) => name !== 'most' && name !== 'mostInTree')
      .toSorted(),
  )
  expect(Object.keys(ofLists).toSorted()).toEqual(
    Object.keys({ ...listQueries, ...ofListQueries, ...listWrites, ...listTransfer })
      .filter((name) => name !== 'listKind')
      .toSorted(),
  )
  expect(Object.keys(ofFilters)).toEqual(
    expect.arrayContaining(
      Object.keys({ ...filterQueries, ...filterTransfer, ...filterWrites }).filter(
        (name) => name !== 'columns',
      ),
    ),
  )
  expect(Object.keys(ofFeeds).toSorted()).toEqual(
    Object.keys({ ...feedQueries, ...feedWrites })
      .filter((name) => name !== 'columns')
      .toSorted(),
  )
  expect(Object.keys(ofTokens)).toEqual(
    expect.arrayContaining(
      Object.keys({ ...tokenQueries, ...tokenWrites }).filter((name) => name !== 'columns'),
    ),
  )
  // A file with statements of its own has to come to this test.
  const files: string[] = []
  for await (const path of new Bun.Glob('src/**/*.ts').scan('.')) {
    if (/\bsql(<[^`]*>)?`|\.unsafe\(/.test(await Bun.file(path).text())) files.push(path)
  }
  expect(files.toSorted()).toEqual([
    'src/auth/access-tokens.ts',
    'src/auth/client-writes.ts',
    // It hands on those of Better Auth.
    'src/auth/issuer-database.ts',
    'src/auth/program-tokens.ts',
    'src/auth/queries.ts',
    'src/changes/queries.ts',
    // Of the catalog, and of tables whose names it says.
    'src/database/auth-tables/find.ts',
    'src/database/auth-tables/forget.ts',
    'src/database/auth-tables/tables.ts',
    'src/database/backup/backup.ts',
    'src/database/backup/restore.ts',
    'src/database/epoch.ts',
    'src/database/gate/pool.ts',
    // A condition that every shared statement has.
    'src/database/gate/share.ts',
    'src/database/log/heads.ts',
    'src/database/log/log.ts',
    'src/database/log/moving.ts',
    'src/database/log/once.ts',
    'src/database/log/positions.ts',
    'src/database/log/purging.ts',
    'src/database/log/together.ts',
    'src/database/log/writes.ts',
    // Asks whether a connection has kept its settings.
    'src/database/open.ts',
    'src/database/rates.ts',
    'src/database/schema/ledger.ts',
    'src/database/schema/refusals.ts',
    'src/deliveries/queries.ts',
    'src/feeds/queries.ts',
    'src/feeds/writes.ts',
    'src/filters/queries.ts',
    'src/filters/transfer.ts',
    'src/filters/writes.ts',
    'src/history/queries.ts',
    'src/history/writes.ts',
    'src/lists/queries.ts',
    'src/lists/table.ts',
    'src/lists/transfer.ts',
    'src/lists/writes.ts',
    'src/me/queries.ts',
    'src/programs/queries.ts',
    'src/programs/writes.ts',
    'src/push/queries.ts',
    'src/push/writes.ts',
    'src/reminders/queries.ts',
    'src/tasks/filter/condition.ts',
    'src/tasks/filter/queries.ts',
    'src/tasks/of-list-queries.ts',
    'src/tasks/pages/statements.ts',
    'src/tasks/queries.ts',
    'src/tasks/recurrence/queries.ts',
    'src/tasks/table.ts',
    'src/tasks/tag-queries.ts',
    'src/tasks/transfer.ts',
    'src/tasks/trees/queries.ts',
    'src/tasks/usage/queries.ts',
    'src/tasks/writes.ts',
    'src/tokens/queries.ts',
    'src/tokens/writes.ts',
    'src/webhooks/queries.ts',
    'src/webhooks/writes.ts',
  ])
})

test.each(
  Object.entries({
    ...statements,
    ...ofHistory,
    ...ofFilters,
    ...ofFeeds,
    ...ofTokens,
    ...ofPrograms,
    ...ofLists,
    ...ofWebhooks,
    ...ofPush,
  }),
)('%s gives what its schema says, of one user', async (_name, [way, schema, calls]) => {
  for (const call of calls) {
    const [statement, ...more] = await describe(call)
    if (statement === undefined) throw new Error('expected a statement')

    expect(more).toEqual([])
    expect(statement.way).toBe(way)
    expect(await differences(statement, schema)).toEqual([])
    // Better Auth's tables have it in their own way.
    expect(statement.text).toMatch(/user_id|users|"userId"/)
    expect(statement.text).not.toMatch(starred)
  }
})

const once = { key: 'a key', request: 'a digest' }
const keyed: [string, (db: Db) => unknown][] = [
  ['insertTask', (db) => writes.insertTask(db, author('alice'), id, task, once)],
  [
    'updateTask',
    (db) =>
      writes.updateTask(
        db,
        author('alice'),
        id,
        [1],
        { changes: task, course: { version: 1 } },
        once,
      ),
  ],
  ['completeTask', (db) => writes.completeTask(db, author('alice'), id, null, true, once)],
  ['deleteTask', (db) => writes.deleteTask(db, author('alice'), id, null, once)],
  ['restoreTask', (db) => writes.restoreTask(db, author('alice'), id, null, once)],
  ['purging', (db) => write(db, taskKind.purging, { ...author('alice'), id }, once)],
  ['purging lists', (db) => write(db, listKind.purging, { ...author('alice'), id }, once)],
  ['insertList', (db) => listWrites.insertList(db, author('alice'), id, listed, once)],
  ['placeList', (db) => listWrites.placeList(db, author('alice'), id, [1], { spot: 'end' }, once)],
]

test.each(keyed)('%s with a key stores it in the same statement', async (_name, call) => {
  const descriptions = await describe(call)

  // Where nothing is found it is run once more.
  expect(new Set(descriptions.map(({ text }) => text)).size).toBe(1)
  const [statement] = descriptions
  expect(statement?.way).toBe('shared, idempotent')
  expect(statement?.text).toContain('insert into docket.idempotency_keys')
  expect(statement?.text).not.toMatch(starred)
  expect(statement === undefined ? [] : await differences(statement, written)).toEqual([])
})

test.each(others)('%s gives what its schema says', async (_name, schema, call) => {
  const [statement] = await describe(call)
  if (statement === undefined) throw new Error('expected a statement')

  expect(await differences(statement, schema)).toEqual([])
})

/** What an object identifier of PostgreSQL is in JSON, as connect.ts reads it. */
const jsonTypes: Record<number, { type: string; format?: string; items?: string }> = {
  16: { type: 'boolean' },
  23: { type: 'integer' },
  25: { type: 'string' },
  701: { type: 'number' },
  1009: { type: 'array', items: 'string' },
  1082: { type: 'string', format: 'date' },
  1083: { type: 'string' },
  1184: { type: 'string', format: 'date-time' },
  2950: { type: 'string', format: 'uuid' },
  3802: { type: 'object' },
}

async function differences({ columns }: Description, row: TSchema): Promise<string[]> {
  const found: string[] = []
  const properties: Record<string, TSchema> = row['properties']

  for (const name of Object.keys(properties)) {
    if (!columns.some((column) => column.name === name)) found.push(`${name} is not selected`)
  }
  for (const column of columns) {
    const property = properties[column.name]
    if (property === undefined) {
      found.push(`${column.name} is not in the schema`)
      continue
    }
    const { schema, nullable } = unwrap(property)
    found.push(...(await typeDifferences(column.name, column.type, schema)))
    if (column.table !== 0) {
      const [attribute] = await sql<{ attnotnull: boolean }[]>`
        select attnotnull from pg_attribute where attrelid = ${column.table} and attnum = ${column.number}`
      if (attribute?.attnotnull === nullable) {
        found.push(`${column.name} is ${nullable ? 'never null' : 'nullable'} in the database`)
      }
    }
  }
  return found
}

function unwrap(schema: TSchema): { schema: TSchema; nullable: boolean } {
  const variants: TSchema[] = schema['anyOf'] ?? []
  const inner = variants.find(({ type }) => type !== 'null')
  const nullable = variants.some(({ type }) => type === 'null')
  return { schema: nullable && inner !== undefined ? inner : schema, nullable }
}

async function typeDifferences(name: string, type: number, schema: TSchema): Promise<string[]> {
  const expected = jsonTypes[type]
  if (expected === undefined) {
    // An enum: its labels, in their order, are the literals of the schema.
    const labels = await sql<{ enumlabel: string }[]>`
      select enumlabel from pg_enum where enumtypid = ${type} order by enumsortorder`
    const variants: TSchema[] = schema['anyOf'] ?? []
    const literals = variants.map((variant) => variant['const'])
    return Bun.deepEquals(
      literals,
      labels.map(({ enumlabel }) => enumlabel),
    )
      ? []
      : [`${name} has other labels`]
  }
  const format = ['visible', 'time-zone', undefined].includes(schema['format'])
    ? undefined
    : schema['format']
  const actual = {
    type: schema['type'],
    ...(format === undefined ? {} : { format }),
    ...(schema['items'] === undefined ? {} : { items: schema['items'].type }),
  }
  return Bun.deepEquals(actual, expected)
    ? []
    : [
        `${name} is ${JSON.stringify(expected)} in the database and ${JSON.stringify(actual)} in the schema`,
      ]
}
