import {
  type Actor,
  keyOf,
  type Run,
  sayAction,
  sayChanges,
  sayCount,
  sayKept,
  sayUndone,
  type Undone,
} from './activity.ts'
import { api } from './api.ts'
import { sayMoment } from './days.ts'
import { make } from './dom.ts'
import { tell } from './notices.ts'
import { ask, button } from './rows.ts'

// What somebody did lately, and an undo beside it.

type Outcome = { run: Run; words: string; kept: string[] }

type Options = {
  /** What was done is to be read again. */
  onUndone: () => Promise<void>
  show: () => void
}

/** Changes that are shown of one go. */
const mostChanges = 100

/** @returns what gives the rows of somebody */
export function createDeeds({ onUndone, show }: Options) {
  /** What was said of the last undo of each. */
  const outcomes = new Map<string, Outcome>()
  let isBusy = false

  /** @param most goes that are shown */
  function deeds(actor: Actor, most: number): Node[] {
    const key = keyOf(actor.kind, actor.name)
    const outcome = outcomes.get(key)
    const runs = actor.runs.slice(0, most)
    return [
      make('ul', { class: 'deeds' }, ...runs.map((run) => deed(actor, run))),
      ...(outcome === undefined ? [] : [told(actor, outcome)]),
    ]
  }

  function deed(actor: Actor, run: Run): HTMLLIElement {
    const key = `${keyOf(actor.kind, actor.name)} ${run.to}`
    const [from, to] = [sayMoment(run.from), sayMoment(run.to)]
    const listed = run.changes.slice(0, mostChanges)
    const left = run.changes.length - listed.length
    const undo = button(key, `by ${actor.name}`, {
      name: `Undo everything since ${from}`,
      run: () => void takeBack(actor, run, 'keep'),
    })
    undo.classList.replace('quiet', 'action')
    return make(
      'li',
      {},
      make(
        'details',
        { 'data-key': key },
        make(
          'summary',
          { 'data-key': `${key} summary` },
          make('span', { class: 'when' }, from === to ? from : `${from} to ${to}`),
          ` · ${sayCount(run.changes.length, 'change')}`,
          make('span', { class: 'counts' }, sayChanges(run.changes)),
        ),
        make(
          'ol',
          { tabindex: '0', 'aria-label': `What ${actor.name} did` },
          ...listed.map(({ action, type, title, at }) =>
            make(
              'li',
              {},
              make('time', { datetime: at }, sayMoment(at)),
              make('span', {}, `${sayAction(action)} `),
              make(
                'span',
                { class: 'of' },
                title === null ? `a ${type} that is gone` : `“${title}”`,
              ),
            ),
          ),
          ...(left === 0 ? [] : [make('li', {}, `and ${left} more`)]),
        ),
      ),
      undo,
    )
  }

  /** What an undo has done, and what it has left as somebody made it since. */
  function told(actor: Actor, { run, words, kept }: Outcome): HTMLElement {
    const force = button(`told ${keyOf(actor.kind, actor.name)}`, `by ${actor.name}`, {
      name: kept.length === 1 ? 'Undo that too' : 'Undo these too',
      run: () => void takeBack(actor, run, 'force'),
    })
    return make(
      'div',
      { class: 'told' },
      make('p', {}, words),
      ...(kept.length === 0
        ? []
        : [
            make('p', {}, 'Changed since, and left as it is:'),
            make('ul', {}, ...kept.map((one) => make('li', {}, one))),
            force,
          ]),
    )
  }

  /** All that one did since then, in one call. */
  async function takeBack({ kind, name }: Actor, run: Run, how: 'keep' | 'force'): Promise<void> {
    if (isBusy) return
    isBusy = true
    const key = keyOf(kind, name)
    const by = { kind: kind as 'token' | 'program', name }
    const say = (words: string): void => {
      outcomes.set(key, { run, words, kept: [] })
      tell(words)
    }
    const answer = await api.undo.post({ since: run.since, by, [how]: true })
    const undone = (await ask(Promise.resolve(answer), say)) as Undone[] | null
    if (undone !== null) {
      const kept = sayKept(undone)
      const whole = undone.filter((one) => one.kept === undefined)
      const isNothing = undone.length === 0
      const words = isNothing
        ? `Nothing is left of what ${name} did since ${sayMoment(run.from)}.`
        : sayUndone(whole)
      outcomes.set(key, { run, words, kept })
      const request = answer.response.headers.get('x-request-id') ?? ''
      tell(words, isNothing ? undefined : { name: 'Redo', run: () => void redo(key, request) })
      // Things may be called otherwise now.
      await onUndone()
    }
    isBusy = false
    show()
  }

  async function redo(key: string, request_id: string): Promise<void> {
    if ((await ask(api.undo.post({ request_id }))) === null) return
    outcomes.delete(key)
    tell('It is as it was before the undo.')
    await onUndone()
    show()
  }

  return deeds
}
