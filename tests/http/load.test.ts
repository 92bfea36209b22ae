import { expect, spyOn, test } from 'bun:test'
import { createLoad } from '../../src/http/load.ts'

/** A load of so many requests, of which some were answered: after each of `gaps`, in milliseconds. */
function loadAfter(inFlight: number, gaps: number[]) {
  let now = 1000
  const clock = spyOn(performance, 'now').mockImplementation(() => now)
  const load = createLoad(64, 250)
  load.inFlight = inFlight
  for (const gap of gaps) {
    now += gap
    load.answered()
  }
  clock.mockRestore()
  return load
}

const loadOf = (inFlight: number, milliseconds: number, answers = 200) =>
  loadAfter(
    inFlight,
    Array.from({ length: answers }, () => milliseconds),
  )

/** Those of answers that come many at a time. */
const bursts = (gap: number, times: number): number[] =>
  Array.from({ length: times }, () => [gap, ...Array.from({ length: 31 }, () => 0)]).flat()

test('lets in many while they are answered fast', () => {
  expect(loadOf(400, 0.1).isFull()).toBe(false)
})

test('lets in no more than can be answered in time while they are slow', () => {
  expect(loadOf(64, 4).isFull()).toBe(true)
  expect(loadOf(100, 4).isFull()).toBe(true)
})

test('refuses nobody for one gap among many answers', () => {
  expect(loadAfter(256, [...bursts(4, 50), 60]).isFull()).toBe(false)
})

test('forgets a time without answers as soon as there are many', () => {
  const many = Array.from({ length: 256 }, () => 0.05)
  expect(loadAfter(128, [0, 5000]).isFull()).toBe(true)
  expect(loadAfter(128, [0, 5000, ...many]).isFull()).toBe(false)
})

test('is not deceived by answers that come together', () => {
  expect(loadAfter(256, bursts(40, 50)).isFull()).toBe(true)
})

test('lets in some in any case', () => {
  expect(loadOf(63, 1000).isFull()).toBe(false)
})

test('lets in more than can be only while nothing is known, and never without an end', () => {
  expect(loadOf(300, 0, 0).isFull()).toBe(false)
  expect(loadOf(1024, 0, 0).isFull()).toBe(true)
})

test('learns nothing from the time in which there was little to do', () => {
  const load = loadOf(4, 5000)
  load.inFlight = 200

  expect(load.isFull()).toBe(false)
})
