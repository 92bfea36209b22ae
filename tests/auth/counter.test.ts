import { expect, test } from 'bun:test'
import { createCounter } from '../../src/auth/counter.ts'

function counter(most: number, seconds: number) {
  let time = 0
  const counted = createCounter({ most, seconds }, () => time)
  return { ...counted, pass: (some: number) => (time += some * 1000) }
}

test('allows so many at once, and then one after each share of the time', () => {
  const { take, pass } = counter(3, 60)

  expect([take('a'), take('a'), take('a')]).toEqual([0, 0, 0])
  expect([take('a'), take('b')]).toEqual([20, 0])
  pass(19.5)
  expect(take('a')).toBe(1)
  pass(0.5)
  expect([take('a'), take('a')]).toEqual([0, 20])
  pass(60)
  expect([take('a'), take('a'), take('a'), take('a')]).toEqual([0, 0, 0, 20])
})

test('says how many count, and takes them back', () => {
  const { take, giveBack, used, forget, pass } = counter(4, 40)
  for (let times = 0; times < 4; times += 1) take('a')

  expect([used('a'), used('b')]).toEqual([4, 0])
  giveBack('a')
  expect([used('a'), take('a'), take('a')]).toEqual([3, 0, 10])
  pass(10)
  expect(used('a')).toBe(3)
  forget('a')
  expect(used('a')).toBe(0)
  giveBack('a')
  expect([take('a'), used('a')]).toEqual([0, 1])
})

test('remembers no more keys than it should, and the latest of them', () => {
  const { take, used } = counter(2, 60)

  for (let number = 0; number < 60_000; number += 1) take(`key ${number}`)

  expect([used('key 0'), used('key 9999'), used('key 10000'), used('key 59999')]).toEqual([
    0, 0, 1, 1,
  ])
})
