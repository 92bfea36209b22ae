import { toSignIn } from './api.ts'
import { make, part } from './dom.ts'
import { tell } from './notices.ts'

// What the sections of the account page are made of: rows, questions, and what is shown once.

type Answer = { data: unknown; error: { status: unknown; value: unknown } | null }

/** What was answered; null where it was refused, of which the user is told. */
export async function ask<A extends Answer>(
  asked: Promise<A>,
  say: (words: string) => void = tell,
): Promise<NonNullable<A['data']> | null> {
  const { data, error } = await asked
  if (error === null) return data as NonNullable<A['data']>
  if (error.status === 401) toSignIn()
  else say(wordsOf(error.value))
  return null
}

/** What a problem says, or that there was no answer. */
function wordsOf(problem: unknown): string {
  const { detail, title } = Object(problem) as { detail?: string; title?: string }
  return detail ?? title ?? 'Docket cannot be reached. Are you online?'
}

export type Button = { name: string; run: () => void; isGrave?: boolean }

/** @param of what it is about, for who hears the names of buttons only */
export const button = (key: string, of: string, { name, run, isGrave = false }: Button) => {
  const made = make(
    'button',
    { type: 'button', class: isGrave ? 'quiet danger' : 'quiet', 'data-key': `${key} ${name}` },
    name,
    make('span', { class: 'spoken' }, ` ${of}`),
  )
  made.addEventListener('click', run)
  return made
}

export type Row = {
  key: string
  name: string
  mark?: string
  about: (string | Node)[]
  buttons: Button[]
  more?: Node[]
}

export const row = ({ key, name, mark, about, buttons, more = [] }: Row): HTMLLIElement =>
  make(
    'li',
    { class: 'row' },
    make(
      'div',
      { class: 'what' },
      make(
        'p',
        { class: 'title' },
        name,
        ...(mark === undefined ? [] : [make('span', { class: 'mark' }, mark)]),
      ),
      make(
        'p',
        { class: 'about' },
        ...about.map((words) => (typeof words === 'string' ? make('span', {}, words) : words)),
      ),
    ),
    make('div', { class: 'buttons' }, ...buttons.map((one) => button(key, name, one))),
    ...more,
  )

/** Puts these rows into a section. What had the focus has it still, or the heading has it. */
export function fill(name: string, rows: readonly Node[]): void {
  const list = part(`${name}-rows`, HTMLUListElement)
  const focus = list.contains(document.activeElement)
    ? (document.activeElement as HTMLElement).dataset['key']
    : null
  const isOpen = new Set(
    Array.from(
      list.querySelectorAll('details[open]'),
      (one) => (one as HTMLElement).dataset['key'],
    ),
  )
  list.replaceChildren(...rows)
  for (const one of list.querySelectorAll('details')) one.open = isOpen.has(one.dataset['key'])
  const none = document.getElementById(`${name}-none`)
  if (none !== null) none.hidden = rows.length > 0
  if (focus === null) return
  const found = Array.from(list.querySelectorAll<HTMLElement>('[data-key]'))
  const next = found.find((one) => one.dataset['key'] === focus)
  ;(next ?? part(`${name}-title`, HTMLHeadingElement)).focus()
}

const sureDialog = part('sure-dialog', HTMLDialogElement)

/** Asks before what cannot be taken back. */
export function sure(question: string, help: string, yes: string): Promise<boolean> {
  part('sure-title', HTMLHeadingElement).textContent = question
  part('sure-help', HTMLParagraphElement).textContent = help
  part('sure-yes', HTMLButtonElement).textContent = yes
  sureDialog.returnValue = 'no'
  sureDialog.showModal()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  sureDialog.addEventListener('close', () => resolve(sureDialog.returnValue === 'yes'), {
    once: true,
  })
  return promise
}

const secret = part('secret', HTMLInputElement)
const copied = part('copied', HTMLParagraphElement)
const secretDialog = part('secret-dialog', HTMLDialogElement)

/** Shows what is said once, to be copied. */
export function showSecret(title: string, help: string, text: string): void {
  part('secret-title', HTMLHeadingElement).textContent = title
  part('secret-help', HTMLParagraphElement).textContent = help
  copied.textContent = ''
  secret.value = text
  secretDialog.showModal()
  part('copy', HTMLButtonElement).focus()
}

part('copy', HTMLButtonElement).addEventListener('click', async () => {
  secret.select()
  // There is no clipboard without TLS.
  const isCopied = await (navigator.clipboard as Clipboard | undefined)
    ?.writeText(secret.value)
    .then(
      () => true,
      () => false,
    )
  copied.textContent = isCopied ? 'Copied.' : 'It is selected: copy it with Ctrl+C or ⌘C.'
})
// It is not left behind in the page.
secretDialog.addEventListener('close', () => {
  secret.value = ''
})

type Given = {
  /** What is in a field. */
  text: (name: string) => string
  /** What is chosen of some. */
  all: (name: string) => string[]
  say: (words: string) => void
}

/**
 * The dialog in which something new is made.
 * @param create gives whether it was: else it says why not
 */
export function maker(name: string, create: (given: Given) => Promise<boolean>): void {
  const dialog = part(`${name}-dialog`, HTMLDialogElement)
  const form = part(`${name}-form`, HTMLFormElement)
  const fault = form.querySelector<HTMLElement>('.fault')
  const submit = form.querySelector<HTMLButtonElement>('.primary')
  const say = (words: string): void => {
    if (fault === null) return
    fault.textContent = words
    fault.hidden = words === ''
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    say('')
    if (submit !== null) submit.disabled = true
    const data = new FormData(form)
    const all = (field: string) => data.getAll(field).map((value) => value as string)
    const isMade = await create({ text: (field) => all(field)[0]?.trim() ?? '', all, say })
    if (submit !== null) submit.disabled = false
    if (isMade) dialog.close()
  })
  form.querySelector('[data-close]')?.addEventListener('click', () => dialog.close())
  part(`new-${name}`, HTMLButtonElement).addEventListener('click', () => {
    form.reset()
    say('')
    dialog.showModal()
  })
}

/** Choices of which any number can be taken. */
export const choices = (
  name: string,
  all: readonly (readonly [string, string])[],
  checked: boolean,
) =>
  all.map(([value, words]) =>
    make(
      'label',
      { class: 'line' },
      make('input', { type: 'checkbox', name, value, checked }),
      make('span', {}, words),
    ),
  )
