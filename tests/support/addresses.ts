/** Addresses that nobody else has. */
export const clientAddresses = (function* (): Generator<string, never> {
  for (let number = 1; ; number += 1)
    yield `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`
})()
