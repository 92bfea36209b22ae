/**
 * Answers with JSON that is text already, as the database made it: nothing is read and written once more.
 * @returns the text, which Elysia sends as it is, under the type of what it says: for Eden
 */
export function json<T>(set: { headers: Record<string, unknown> }, text: string): T {
  set.headers['content-type'] = 'application/json;charset=utf-8'
  return (text.length > most ? new Response(stream(text)) : text) as T
}

/**
 * Bun 1.4.5 sends a text that is longer than some 15,000 bytes, and was not there at once, in as many pieces as there are
 * kilobytes, which takes four times as long (https://github.com/oven-sh/bun/issues/41341). A stream goes out whole.
 */
const most = 12_000

const stream = (text: string): ReadableStream =>
  new ReadableStream({
    type: 'direct',
    pull: (controller) => {
      controller.write(text)
      controller.close()
    },
  })
