import { join } from 'node:path'
import type { Files } from './bundle.ts'

/** The pages in the order in which they are listed; what is not named here comes after them, by name. */
const order = [
  'installing',
  'configuration',
  'api',
  'signing-in',
  'frontends',
  'agents',
  'deploying',
  'operating',
  'backups',
  'speed',
  'inside',
  'adding',
]

/** Where a page is under /docs, by its file. */
const root: Record<string, string> = { 'README.md': '', 'SECURITY.md': '/security' }

/** README.md, docs/*.md and SECURITY.md as HTML, by the names under which `/docs` has them, in their order. */
export async function makeGuides(folder: string): Promise<Files> {
  const names = await Array.fromAsync(new Bun.Glob('docs/*.md').scan(folder))
  const rank = (file: string) =>
    (order.indexOf(nameOf(file)) + order.length + 1) % (order.length + 1)
  const sorted = names.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const files = ['README.md', ...sorted, 'SECURITY.md']
  const guides: Files = {}
  for (const file of files) {
    const text = await Bun.file(join(folder, file)).text()
    guides[`guides${addressOf(file)}.html`] = toHtml(text, file, new Set(files))
  }
  return guides
}

const nameOf = (file: string): string => file.replace(/^docs\/|\.md$/g, '')

const addressOf = (file: string): string => root[file] ?? `/${nameOf(file)}`

function toHtml(text: string, file: string, files: Set<string>): string {
  return (
    Bun.markdown
      .html(text, { headings: true })
      // Pictures are for who has the repository: what they show is here.
      .replaceAll(/<picture>.*?<\/picture>|<p><img [^>]*><\/p>/gs, '')
      .replaceAll(/<a href="([^"]*)">(.*?)<\/a>/gs, (link, target, label) => {
        if (/^(#|\w+:)/.test(target)) return link
        const [path = '', anchor] = target.split('#')
        const named = join(file, '..', path)
        // What is in the repository only is no link here.
        if (!files.has(named)) return label
        const hash = anchor === undefined ? '' : `#${anchor}`
        return `<a href="/docs${addressOf(named)}${hash}">${label}</a>`
      })
      // What is wider than the page is scrolled by itself, by the keyboard too.
      .replaceAll('<pre>', '<pre tabindex="0">')
      // A column without a name has no header.
      .replaceAll('<th></th>', '<td></td>')
      .replaceAll('<table>', '<div class="table" tabindex="0"><table>')
      .replaceAll('</table>', '</table></div>')
  )
}

export type Guide = {
  /** What comes after /docs in its address. */
  name: string
  title: string
  sections: [id: string, label: string][]
  html: string
}

export const readGuides = (files: Files): Guide[] =>
  Object.entries(files).flatMap(([file, html]) => {
    const name = /^guides(.*)\.html$/.exec(file)?.[1]
    if (name === undefined) return []
    const title = name === '' ? 'Overview' : (headingsOf(html, 1)[0]?.[1] ?? name)
    return { name, title, sections: headingsOf(html, 2), html }
  })

const headingsOf = (html: string, level: number): [id: string, label: string][] =>
  Array.from(
    html.matchAll(new RegExp(`<h${level} id="([^"]+)"><a [^>]*>(.*?)</a></h${level}>`, 'g')),
    ([, id = '', label = '']) => [id, label.replaceAll(/<[^>]+>/g, '')],
  )
