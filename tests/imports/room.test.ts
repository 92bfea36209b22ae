import { expect, test } from 'bun:test'
import { createRoom } from '../../src/imports/room.ts'

const mebibyte = 1024 * 1024

test('there is room for who has none, however much others have', () => {
  const room = createRoom()
  const taken = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((owner) => {
    for (let size = 64; size >= 1; size /= 2) {
      if (room.take(owner, size * mebibyte) !== null) return size
    }
    return 0
  })

  expect(taken).toEqual([64, 64, 64, 32, 16, 8, 4, 2])
})

test('nobody has more than 64 MiB at once, and gives it back', () => {
  const room = createRoom()
  const giveBack = room.take('a', 40 * mebibyte)

  expect(giveBack).toBeFunction()
  expect(room.take('a', 30 * mebibyte)).toBeNull()
  expect(room.take('b', 64 * mebibyte)).toBeFunction()
  giveBack?.()
  expect(room.take('a', 64 * mebibyte)).toBeFunction()
})
