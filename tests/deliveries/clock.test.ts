import { afterEach, expect, jest, test } from 'bun:test'
import { createClock } from '../../src/deliveries/clock.ts'
import { createRounds } from '../../src/deliveries/rounds.ts'

afterEach(() => {
  jest.useRealTimers()
})

test('rings once, at the earliest instant', () => {
  jest.useFakeTimers({ now: 0 })
  const rung: number[] = []
  const clock = createClock(() => rung.push(Date.now()))

  clock.set(5000)
  clock.set(1000)
  clock.set(9000)
  jest.advanceTimersByTime(20_000)

  expect(rung).toEqual([1000])
})

test('rings for what is further away than a timer can wait', () => {
  jest.useFakeTimers({ now: 0 })
  const month = 31 * 24 * 3600 * 1000
  const rung: number[] = []
  createClock(() => rung.push(Date.now())).set(month)

  jest.advanceTimersByTime(month - 1)
  expect(rung).toEqual([])
  jest.advanceTimersByTime(1)

  expect(rung).toEqual([month])
})

test('rings within a minute after the clock was set forward', () => {
  jest.useFakeTimers({ now: 0 })
  const rung: number[] = []
  createClock(() => rung.push(Date.now())).set(3_600_000)

  jest.setSystemTime(7_200_000)
  jest.advanceTimersByTime(60_000)

  expect(rung).toHaveLength(1)
})

test('does not ring when it was stopped', () => {
  jest.useFakeTimers({ now: 0 })
  const rung: number[] = []
  const clock = createClock(() => rung.push(Date.now()))
  clock.set(1000)
  clock.stop()

  jest.advanceTimersByTime(10_000)

  expect(rung).toEqual([])
})

test('looks at the start, and within a minute after a write, and else not at all', async () => {
  jest.useFakeTimers({ now: 0 })
  const looked: number[] = []
  const rounds = createRounds(
    async () => void looked.push(Math.round(Date.now() / 1000)),
    () => {},
  )
  const pass = async (milliseconds: number) => {
    jest.advanceTimersByTime(milliseconds)
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  }

  rounds.begin()
  await pass(600_000)
  expect(looked).toEqual([0])
  for (let write = 0; write < 10; write += 1) rounds.wake()
  await pass(1000)
  for (let write = 0; write < 10; write += 1) rounds.wake()
  await pass(600_000)

  // The second ones when a minute was over.
  expect(looked).toEqual([0, 600, 660])
})
