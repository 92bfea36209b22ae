import { actorsOf, keyOf } from './activity.ts'
import { type Activity, api, type List } from './api.ts'
import { sayDate } from './days.ts'
import { createDeeds } from './deeds.ts'
import { make, part } from './dom.ts'
import { tell } from './notices.ts'
import { ask, choices, fill, maker, type Row, row, showSecret, sure } from './rows.ts'

// Access tokens and programs, each with what it did lately, and an undo beside it.

type Token = NonNullable<Awaited<ReturnType<typeof api.me.tokens.get>>['data']>[number]

type Program = NonNullable<Awaited<ReturnType<typeof api.me.programs.get>>['data']>[number]

let tokens: Token[] = []
let programs: Program[] = []
let changes: Activity[] = []
let next: number | null = null
let lists = new Map<string, List>()

/** Goes that are shown of each. */
let most = 3

const deeds = createDeeds({ onUndone: loadChanges, show })

const scopeWords: Record<string, string> = {
  'tasks:read': 'reads tasks',
  'tasks:write': 'changes tasks',
  account: 'looks after webhooks, calendars and the time zone',
}

/** Changes of tokens and programs that are asked for at once. */
const size = 200

export async function loadPrograms(): Promise<void> {
  const [foundLists] = await Promise.all([ask(api.lists.get()), loadChanges(), loadHolders()])
  lists = new Map((foundLists ?? []).map((list) => [list.id, list]))
  const names = [...lists.values()].map(({ id, name }) => [id, name] as const)
  part('token-choices', HTMLDivElement).replaceChildren(...choices('list', names, false))
  part('token-lists', HTMLFieldSetElement).hidden = names.length === 0
  show()
}

export const listName = (id: string): string => lists.get(id)?.name ?? 'a list that is gone'

export const allLists = (): List[] => [...lists.values()]

async function loadChanges(isAnew = true): Promise<void> {
  const query = { by_kind: ['token' as const, 'program' as const], limit: size }
  const cursor = isAnew || next === null ? {} : { cursor: next }
  const answer = await api.history.get({ query: { ...query, ...cursor } })
  const page = await ask(Promise.resolve(answer))
  if (page === null) return
  changes = isAnew ? page : [...changes, ...page]
  const link = answer.response.headers.get('link')
  next = Number(link?.match(/cursor=(\d+)/)?.[1]) || null
}

function show(): void {
  const actors = actorsOf(changes)
  const shown = new Set<string>()
  const known = (kind: string, name: string): Node[] => {
    shown.add(keyOf(kind, name))
    const actor = actors.get(keyOf(kind, name))
    return actor === undefined ? [] : deeds(actor, most)
  }
  fill(
    'tokens',
    tokens.map((token) => row(rowOfToken(token, known('token', token.name)))),
  )
  fill(
    'programs',
    programs.map((program) => row(rowOfProgram(program, known('program', program.name)))),
  )
  const gone = [...actors].filter(([key]) => !shown.has(key)).map(([, actor]) => actor)
  fill(
    'gone',
    gone.map((actor) =>
      row({
        key: `gone ${keyOf(actor.kind, actor.name)}`,
        name: actor.name,
        about: [actor.kind === 'token' ? 'an access token' : 'a program'],
        buttons: [],
        more: deeds(actor, most),
      }),
    ),
  )
  part('gone', HTMLElement).hidden = gone.length === 0
  const isAll = [...actors.values()].every(({ runs }) => runs.length <= most)
  part('earlier', HTMLButtonElement).hidden = isAll && next === null
}

const used = (day: string | null): string =>
  day === null ? 'never used' : `last used ${sayDate(day)}`

function rowOfToken(token: Token, more: Node[]): Row {
  const { id, name, scopes, list_ids, hint, expires_at, last_used_on } = token
  const hasEnded = expires_at !== null && Date.parse(expires_at) <= Date.now()
  return {
    key: `token ${id}`,
    name,
    ...(hasEnded ? { mark: 'ended' } : {}),
    about: [
      sayScopes(scopes),
      ...(list_ids === null ? [] : [`in ${list_ids.map(listName).join(', ')}`]),
      used(last_used_on),
      expires_at === null ? 'until you delete it' : `until ${sayDate(expires_at)}`,
      make('code', {}, `…${hint}`),
    ],
    buttons: [
      { name: 'New secret', run: () => void rotate(token) },
      { name: 'Delete', isGrave: true, run: () => void remove(token) },
    ],
    more,
  }
}

function sayScopes(scopes: readonly string[]): string {
  // Who may change tasks may read them.
  const said = scopes.filter((one) => one !== 'tasks:read' || !scopes.includes('tasks:write'))
  return said.map((one) => scopeWords[one] ?? one).join(', ')
}

function rowOfProgram(program: Program, more: Node[]): Row {
  const { id, name, host, scopes, last_used_on, created_at } = program
  return {
    key: `program ${id}`,
    name,
    about: [
      host,
      sayScopes(scopes),
      `since ${sayDate(created_at)}`,
      ...(last_used_on === null ? [] : [used(last_used_on)]),
    ],
    buttons: [{ name: 'Take away', isGrave: true, run: () => void takeAway(program) }],
    more,
  }
}

async function rotate(token: Token): Promise<void> {
  const help = 'The one that it has works no more, from now on.'
  if (!(await sure(`A new secret for “${token.name}”?`, help, 'New secret'))) return
  const made = await ask(api.me.tokens({ id: token.id }).rotate.post())
  if (made === null) return
  await reload()
  showToken(made)
}

async function remove({ id, name }: Token): Promise<void> {
  const help = 'Whatever uses it is shut out at once. What it did stays, and can be undone.'
  if (!(await sure(`Delete “${name}”?`, help, 'Delete'))) return
  if ((await ask(api.me.tokens({ id }).delete())) === null) return
  tell(`“${name}” is deleted.`)
  await reload()
}

async function takeAway({ id, name }: Program): Promise<void> {
  const help = 'It is shut out at once, until you let it in again. What it did stays.'
  if (!(await sure(`Take away what “${name}” may?`, help, 'Take away'))) return
  if ((await ask(api.me.programs({ id }).delete())) === null) return
  tell(`“${name}” is shut out.`)
  await reload()
}

/** Who may do something. */
async function loadHolders(): Promise<void> {
  const [foundTokens, foundPrograms] = await Promise.all([
    ask(api.me.tokens.get()),
    ask(api.me.programs.get()),
  ])
  tokens = foundTokens ?? tokens
  programs = foundPrograms ?? programs
}

async function reload(): Promise<void> {
  await Promise.all([loadHolders(), loadChanges()])
  show()
}

const showToken = ({ name, token }: { name: string; token: string }): void =>
  showSecret(
    `The token “${name}”`,
    'It is shown this once. Whoever has it may do what it may.',
    token,
  )

part('earlier', HTMLButtonElement).addEventListener('click', async () => {
  most += 3
  if (next !== null) await loadChanges(false)
  show()
})

maker('token', async ({ text, all, say }) => {
  const list_ids = all('list')
  const days = text('days')
  const scopes = all('scope') as Token['scopes']
  if (scopes.length === 0) {
    say('Choose what it may do.')
    return false
  }
  const made = await ask(
    api.me.tokens.post({
      name: text('name'),
      scopes,
      list_ids: list_ids.length === 0 ? null : list_ids,
      expires_at:
        days === '' ? null : new Date(Date.now() + Number(days) * 86_400_000).toISOString(),
    }),
    say,
  )
  if (made === null) return false
  await reload()
  // Above the dialog that is about to close.
  queueMicrotask(() => showToken(made))
  return true
})
