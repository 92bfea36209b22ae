/** What is on its way to clients and was not taken yet: it lies in our memory until they take it, or are hung up on. */
export type Outgoing = {
  /** Of all long answers that are on their way. */
  readonly bytes: number
  /** Whether so much is on its way to the owner that nothing more should be made for him. */
  isFull: (owner: string) => boolean
  /**
   * An answer to the owner goes out.
   * @param asked whether it only says what was asked for: of what was done, its owner hears in any case
   * @returns false: it must not go out, for there is too much on its way
   */
  take: (answer: Response, owner: string, asked: boolean) => boolean
}

/** Texts with fewer characters are not counted, and can always be sent. */
const short = 12_000

/** The body of a long answer: how large it is, whether it is being sent, and who is told when it is gone, until he was. */
type Parcel = { bytes: number; isTaken: boolean; gone: (() => void) | null }

const parcel = Symbol('parcel')

/** Kept on the answer itself. */
type Carrier = Response & { [parcel]?: Parcel }

/**
 * Bounds the bytes that are on their way: to each owner, and in all. Nobody has more of them than is left for others, so
 * that there is always room for who has none.
 */
export function createOutgoing(each = 8_000_000, all = 64_000_000): Outgoing {
  const held = new Map<string, number>()
  let bytes = 0

  // Bun begins to send an answer in the turn in which it is made, unless there is nobody who would read it.
  let made: Parcel[] = []
  function look(): void {
    const parcels = made
    made = []
    for (const sent of parcels) if (!sent.isTaken) release(sent)
  }

  function add(owner: string, count: number): void {
    bytes += count
    const own = (held.get(owner) ?? 0) + count
    if (own === 0) held.delete(owner)
    else held.set(owner, own)
  }

  /** Whether it can be sent: to who has nothing on its way also what is larger than his part. */
  function fits(owner: string, more: number): boolean {
    const own = held.get(owner) ?? 0
    return (own === 0 || own + more <= each) && own + more <= all - bytes - more
  }

  return {
    get bytes() {
      return bytes
    },
    isFull: (owner) => {
      const own = bytes === 0 ? 0 : (held.get(owner) ?? 0)
      return own > 0 && own >= Math.min(each, all - bytes)
    },
    take: (answer, owner, asked) => {
      const sent = (answer as Carrier)[parcel]
      if (sent === undefined) return true
      if (asked && !fits(owner, sent.bytes)) return false
      add(owner, sent.bytes)
      sent.gone = () => add(owner, -sent.bytes)
      if (made.push(sent) === 1) setImmediate(look)
      return true
    },
  }
}

function release(sent: Parcel): void {
  sent.gone?.()
  sent.gone = null
}

/** Whether `take` has to be asked. */
export const isLong = (answer: Response): boolean => parcel in answer

/** An answer with a text, of any length. `createOutgoing` says what becomes of a long one. */
export function textAnswer(text: string, init: ResponseInit): Response {
  if (text.length <= short) return new Response(text, init)
  const sent: Parcel = { bytes: Buffer.byteLength(text), isTaken: false, gone: null }
  const answer = new Response(stream(text, sent), init)
  ;(answer as Carrier)[parcel] = sent
  return answer
}

/** The same answer, of which nobody knew how long it is. */
export async function measured(answer: Response): Promise<Response> {
  const text = await answer.text()
  return text === '' ? new Response(null, answer) : textAnswer(text, answer)
}

/**
 * Bun 1.4.5 sends a text that is longer than some 15,000 bytes, and was not there at once, in as many pieces as there are
 * kilobytes, which takes four times as long (https://github.com/oven-sh/bun/issues/41341). A stream goes out whole, and
 * says when it is gone: `end` gives a promise while the socket takes no more, which is kept too when the client leaves.
 */
function stream(text: string, sent: Parcel): ReadableStream {
  let rest = text
  const source: Bun.DirectUnderlyingSource = {
    type: 'direct',
    pull: (controller) => {
      sent.isTaken = true
      void controller.write(rest)
      // It was copied: nobody needs both.
      rest = ''
      const end: unknown = controller.end()
      if (!(end instanceof Promise)) return release(sent)
      void end.catch(() => {}).then(() => release(sent))
    },
    cancel: () => release(sent),
  }
  // More than the text has: else it would be sent before the end is known, in two pieces and without a length.
  return new ReadableStream(source as never, { highWaterMark: sent.bytes + 1 })
}
