import { createHash } from 'node:crypto'
import type { Files } from './bundle.ts'
import { type Guide, readGuides } from './guides.ts'

export type Asset = { text: string; type: string }
export type Assets = {
  pages: Files
  /** What a page has as /web/NAME, by the name under which it is served. */
  named: Map<string, Asset>
  nameOf: Map<string, string>
  guides: Guide[]
}

const types: Record<string, string> = {
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
}

export function toAssets(pages: Files): Assets {
  const named = new Map<string, Asset>()
  const nameOf = new Map<string, string>()
  for (const [name, text] of Object.entries(pages)) {
    const [, stem = '', ending = ''] = /^(.+)\.(\w+)$/.exec(name) ?? []
    const type = types[ending]
    if (type === undefined) continue
    const full = `${stem}-${hashOf(text)}.${ending}`
    named.set(full, { text, type })
    nameOf.set(name, full)
  }
  return { pages, named, nameOf, guides: readGuides(pages) }
}

/** A page with the names that its files have now, behind what a proxy cuts off. The values are HTML. */
export const render = (
  { pages, nameOf }: Assets,
  name: string,
  prefix: string,
  values: Record<string, string>,
): string =>
  (pages[name] ?? '')
    .replaceAll(/"\/web\/([\w.-]+)"/g, (_, file) => `"${prefix}/web/${nameOf.get(file)}"`)
    .replaceAll(/\{\{(\w+)\}\}/g, (_, key) => values[key] ?? '')

export function answer(
  request: Request,
  text: string,
  type: string,
  headers: Record<string, string>,
): Response {
  const etag = `"${hashOf(text)}"`
  const isKnown = (request.headers.get('if-none-match') ?? '').includes(etag)
  return new Response(isKnown ? null : text, {
    status: isKnown ? 304 : 200,
    headers: { 'content-type': `${type}; charset=utf-8`, etag, ...headers },
  })
}

const hashOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16)

export const escape = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
