import type { CompatConfig } from '../config.ts'
import { textAnswer } from '../http/outgoing.ts'
import { type Answers, isTask, put } from './answers.ts'
import { places } from './bodies.ts'
import type { Names } from './names.ts'
import { summarize } from './summary.ts'

type Json = Record<string, unknown>
type Schema = Json & {
  properties?: Json
  required?: string[]
  examples?: object[]
  enum?: string[]
}
type Operation = Json & { parameters?: Json[]; responses: Record<string, { content?: Json }> }
type Document = Json & {
  info: { description: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/** What becomes of the OpenAPI document: the paths and the shapes that the frontend sees, and a paragraph that says so. */
export function createDescription(
  config: CompatConfig,
  names: Names,
  answers: Answers,
): (answer: Response) => Promise<Response> {
  const { toClient, allCompleted } = names
  const { list, task, prefix, resource, keepsUnknown, hasDatetimes, hasMessage } = config

  const property = ([name, schema]: [string, unknown]): [string, unknown][] => {
    if (name === 'completed') {
      return allCompleted.map(({ name: own, words }) => [own, words ? oneOf(words) : schema])
    }
    // Of these there may be theirs, of any form.
    if (keepsUnknown && [...places, 'subtasks'].includes(name)) {
      return [[toClient(name), { description: (schema as Schema)['description'] }]]
    }
    const { format: _format, ...dated } = schema as Schema
    const isDated = hasDatetimes && name === 'due_date'
    return [[toClient(name), isDated ? { ...dated, ...dateTime } : schema]]
  }

  function model({ properties = {}, required = [], examples, ...rest }: Schema): Schema {
    const renamed = required.flatMap((name) => property([name, {}]).map(([own]) => own))
    return {
      ...rest,
      properties: Object.fromEntries(Object.entries(properties).flatMap(property)),
      ...(required.length > 0 ? { required: renamed } : {}),
      ...(examples === undefined ? {} : { examples: examples.map(answers.fields) }),
      additionalProperties: keepsUnknown,
    }
  }

  function content(given: Json | undefined): Json | undefined {
    const { schema, example } = (given?.['application/json'] ?? {}) as {
      schema?: Schema
      example?: unknown
    }
    if (Array.isArray(example) && example.every(isTask)) {
      const more = { total: integer('How many there are.'), count: integer('How many are here.') }
      const made = {
        schema: within(list, schema, more),
        example: answers.list(example, example.length),
      }
      return { 'application/json': made }
    }
    if (!isTask(example)) return given
    return { 'application/json': { schema: within(task, schema), example: answers.task(example) } }
  }

  const operation = ({ parameters = [], responses, ...rest }: Operation): Operation => ({
    ...rest,
    parameters: parameters.map((parameter) =>
      parameter['in'] === 'query' ? asked(parameter) : parameter,
    ),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, { content: given, ...more }]) => {
        const own = content(given)
        return [status, own === undefined ? more : { ...more, content: own }]
      }),
    ),
  })

  function asked({ name, schema, ...rest }: Json): Json {
    const words = allCompleted.find((one) => one.words !== null && name === 'status')
    if (words?.words) return { ...rest, name: words.name, schema: oneOf(['all', ...words.words]) }
    const { default: usual, ...given } = schema as Json
    const meant = typeof usual === 'string' ? toClient(usual) : usual
    return {
      ...rest,
      name: toClient(String(name)),
      schema: usual === undefined ? given : { ...given, default: meant },
    }
  }

  const path = (name: string): string =>
    isOfTasks.test(name)
      ? name.replace(/^\/api/, prefix ?? '/api').replace('/tasks', `/${resource ?? 'tasks'}`)
      : name

  function translate(given: Document): Document {
    // What else there is of a task, as in the feed, is as it was.
    const others = Object.fromEntries(
      Object.entries(given.paths).filter(([name]) => !isOfTasks.test(name)),
    )
    const document: Document = { ...given, paths: { ...given.paths, ...untranslated(others) } }
    const {
      Task,
      TaskTree,
      ChangedTask,
      NewTask,
      TaskPatch,
      Completion,
      Sort,
      Problem,
      ...schemas
    } = document.components.schemas
    const kept = keepsUnknown ? { extra: { type: 'object', description: 'What is kept.' } } : {}
    const models = { Task, TaskTree, ChangedTask, NewTask, TaskPatch, Completion }
    return {
      ...document,
      info: {
        ...document.info,
        description: `${document.info.description}\n\n${summarize(config, names)}`,
      },
      paths: Object.fromEntries(
        Object.entries(document.paths).map(([name, operations]) => [
          path(name),
          Object.fromEntries(
            Object.entries(operations).map(([method, one]) => [method, operation(one)]),
          ),
        ]),
      ),
      components: {
        ...document.components,
        schemas: {
          ...untranslated(schemas),
          PlainTask: { ...Task, properties: { ...Task?.properties, ...kept } },
          PlainTaskTree: untranslated({
            ...TaskTree,
            properties: { ...TaskTree?.properties, ...kept },
          }),
          ...Object.fromEntries(
            Object.entries(models).map(([name, schema]) => [name, model(schema ?? {})]),
          ),
          Sort: { ...Sort, enum: Sort?.enum?.map(toClient) ?? [] },
          Problem: {
            ...Problem,
            properties: { ...(hasMessage ? messages : {}), ...Problem?.properties },
          },
        },
      },
    }
  }

  // The last one that was asked for: it is most often the same.
  let made = { from: '', to: '' }
  return async (answer) => {
    const from = await answer.text()
    if (made.from !== from) made = { from, to: JSON.stringify(translate(JSON.parse(from))) }
    const { headers, status } = answer
    return textAnswer(made.to, { headers, status })
  }
}

const isOfTasks = /^\/api(?:\/\{user_id\})?\/tasks(?:\/|$)/

/** With tasks as they are to everybody else. */
const untranslated = <T extends object>(part: T): T =>
  JSON.parse(
    JSON.stringify(part).replaceAll(
      /"#\/components\/schemas\/(Task|TaskTree)"/g,
      '"#/components/schemas/Plain$1"',
    ),
  )

const integer = (description: string): Json => ({ type: 'integer', minimum: 0, description })

const oneOf = (words: string[]): Json => ({ type: 'string', enum: words })

const dateTime = {
  description:
    'A day of the calendar at midnight of UTC, or the instant when it is due; without a zone, a time on the clock of the user.',
  examples: ['2026-12-01T00:00:00Z'],
}

const messages = {
  message: { type: 'string', description: 'The same as `detail`.' },
  error: { type: 'string', description: 'The same as `detail`.' },
}

/** The schema of a value that is put into objects. */
function within(path: string[], schema: unknown, more: Json = {}): unknown {
  const object = (properties: Json): Json => ({
    type: 'object',
    required: Object.keys(properties),
    properties,
    additionalProperties: false,
  })
  return put(path, schema, more, object)
}
