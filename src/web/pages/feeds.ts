import { api } from './api.ts'
import { sayDate } from './days.ts'
import { make } from './dom.ts'
import { tell } from './notices.ts'
import { allLists, listName } from './programs.ts'
import { ask, fill, maker, row, showSecret, sure } from './rows.ts'

type Feed = NonNullable<Awaited<ReturnType<typeof api.feeds.get>>['data']>[number]

export async function loadFeeds(): Promise<void> {
  const feeds = (await ask(api.feeds.get())) ?? []
  fill(
    'feeds',
    feeds.map((feed) =>
      row({
        key: `feed ${feed.id}`,
        name: feed.name,
        about: [
          feed.list_id === null ? 'all lists' : listName(feed.list_id),
          ...(feed.filter === null ? [] : [feed.filter]),
          feed.last_used_on === null
            ? 'nobody has looked at it yet'
            : `last looked at ${sayDate(feed.last_used_on)}`,
        ],
        buttons: [
          { name: 'New address', run: () => void rotate(feed) },
          { name: 'Delete', isGrave: true, run: () => void remove(feed) },
        ],
      }),
    ),
  )
}

const showAddress = ({ name, url }: { name: string; url: string }): void =>
  showSecret(
    `The address of “${name}”`,
    'For a calendar to subscribe to. It is shown this once, and whoever has it reads the calendar.',
    url,
  )

async function rotate({ id, name }: Feed): Promise<void> {
  const help = 'At the one that it has there is nothing any more, from now on.'
  if (!(await sure(`A new address for “${name}”?`, help, 'New address'))) return
  const made = await ask(api.feeds({ id }).rotate.post())
  if (made === null) return
  await loadFeeds()
  showAddress(made)
}

async function remove({ id, name }: Feed): Promise<void> {
  const help = 'Calendars that follow it find nothing any more.'
  if (!(await sure(`Delete “${name}”?`, help, 'Delete'))) return
  if ((await ask(api.feeds({ id }).delete())) === null) return
  tell(`“${name}” is deleted.`)
  await loadFeeds()
}

document.getElementById('new-feed')?.addEventListener('click', () => {
  const lists = [['', 'All, and the inbox'], ...allLists().map(({ id, name }) => [id, name])]
  document
    .querySelector('#feed-form select')
    ?.replaceChildren(...lists.map(([value = '', words = '']) => make('option', { value }, words)))
})

maker('feed', async ({ text, say }) => {
  const made = await ask(
    api.feeds.post({
      name: text('name'),
      list_id: text('list_id') || null,
      filter: text('filter') || null,
    }),
    say,
  )
  if (made === null) return false
  await loadFeeds()
  queueMicrotask(() => showAddress(made))
  return true
})
