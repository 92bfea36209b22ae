import { security } from './security.ts'

/**
 * An answer with JSON that is text already, as the database made it: nothing is read and written once more. With its
 * headers ready it costs half of what Elysia and `decorate` would need for it; those of `set` go into it.
 * @returns the Response, under the type of what it says: for Eden
 */
// The caller knows what the text says, and only there.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function json<T>(set: { headers: Record<string, unknown> }, text: string, status = 200): T {
  const body = text.length > most ? stream(text) : text
  const response = new Response(body, { status, headers: ready })
  for (const name in set.headers) response.headers.set(name, String(set.headers[name]))
  // With anything left in there Elysia would make another Response, of the body as a stream.
  set.headers = {}
  return response as T
}

const ready = new Headers({ ...security, 'content-type': 'application/json;charset=utf-8' })

/**
 * Bun 1.4.5 sends a text that is longer than some 15,000 bytes, and was not there at once, in as many pieces as there are
 * kilobytes, which takes four times as long (https://github.com/oven-sh/bun/issues/41341). A stream goes out whole.
 */
const most = 12_000

const stream = (text: string): ReadableStream =>
  new ReadableStream(
    {
      type: 'direct',
      pull: (controller) => {
        void controller.write(text)
        controller.close()
      },
    },
    // As many bytes as the text can have: less would be sent before the end is known, in two pieces and without a length.
    { highWaterMark: 3 * text.length },
  )
