import { expect, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pages, proseOf, textOf } from './reading.ts'

const all = [
  ...pages,
  ...(await Promise.all(
    ['SECURITY.md', 'CHANGELOG.md', 'patches/README.md'].map(
      async (file): Promise<[string, string]> => [file, await Bun.file(file).text()],
    ),
  )),
]

const headingsOf = (text: string): string[] =>
  Array.from(proseOf(text).matchAll(/^#+ (.+)$/gm), ([, title = '']) => title)

/** The anchor that GitHub gives a heading. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')

const linksOf = (text: string): string[] =>
  Array.from(
    proseOf(text).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g),
    ([, target, attribute]) => target ?? attribute ?? '',
  ).filter((target) => !/^\w+:/.test(target))

test.each(all)('each link of %s leads somewhere', async (file, text) => {
  for (const link of linksOf(text)) {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? file : join(file, '..', path)
    expect([link, existsSync(target)]).toEqual([link, true])
    if (anchor === undefined) continue
    const anchors = headingsOf(await Bun.file(target).text()).map(anchorOf)
    expect([link, anchors.includes(anchor)]).toEqual([link, true])
  }
})

test.each(all)('the headings of %s have one anchor each, here as on GitHub', (_file, text) => {
  const titles = headingsOf(text)
  const ids = Array.from(
    Bun.markdown.html(text, { headings: true }).matchAll(/<h\d id="([^"]+)">/g),
    ([, id]) => id,
  )

  expect(ids).toEqual(titles.map(anchorOf))
  expect(new Set(ids).size).toBe(ids.length)
})

test('README.md is short, leads to every page, and shows small pictures', () => {
  const readme = textOf('README.md')

  expect(readme.split('\n').length).toBeLessThanOrEqual(251)
  for (const [file] of pages) if (file !== 'README.md') expect(readme).toContain(`(${file})`)
  const pictures = linksOf(readme).filter((link) => link.endsWith('.png'))
  expect(pictures.toSorted()).toEqual(['docs/tasks-dark.png', 'docs/tasks-light.png'])
  for (const picture of pictures) expect(statSync(picture).size).toBeLessThanOrEqual(150 * 1024)
})
