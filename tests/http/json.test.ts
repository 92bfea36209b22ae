import { expect, test } from 'bun:test'
import { json } from '../../src/http/json.ts'

// On the wire: how a body is sent is decided there.
test.each(['a', 'é', '€', '😀'])(
  'sends text of %p whole, with its length, however long it is',
  async (character) => {
    const text = (length: number) => JSON.stringify(character.repeat(length))
    using server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async ({ url }) => {
        await Bun.sleep(0)
        return json<Response>(
          { headers: {} },
          text(Number(new URL(url).searchParams.get('length'))),
        )
      },
    })

    for (const length of [0, 11_998, 11_999, 15_400, 60_000, 1_000_000]) {
      const answer = await fetch(`${server.url.href}?length=${length}`)
      const bytes = await answer.bytes()
      const { headers } = answer

      expect(new TextDecoder().decode(bytes)).toBe(text(length))
      expect(headers.get('content-length')).toBe(String(bytes.length))
      expect(headers.get('transfer-encoding')).toBeNull()
      expect(headers.get('content-type')).toBe('application/json;charset=utf-8')
    }
  },
)
