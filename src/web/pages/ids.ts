/** A new UUIDv7, by which things lie in the order in which they were made. `crypto.randomUUID` is not there over plain http. */
export function newId(now = Date.now()): string {
  const time = now.toString(16).padStart(12, '0')
  const random = [...crypto.getRandomValues(new Uint8Array(10))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
  const variant = (8 + (Number.parseInt(random.slice(3, 4), 16) % 4)).toString(16)
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${random.slice(0, 3)}`,
    `${variant}${random.slice(4, 7)}`,
    random.slice(8),
  ].join('-')
}
