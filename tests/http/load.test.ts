import { expect, spyOn, test } from 'bun:test'
import { createLoad } from '../../src/http/load.ts'

/** A load of so many requests, of which some were answered, so many milliseconds apart. */
function loadOf(inFlight: number, milliseconds: number, answers = 200) {
  let now = 1000
  const clock = spyOn(performance, 'now').mockImplementation(() => now)
  const load = createLoad(64, 250)
  load.inFlight = inFlight
  for (let count = 0; count < answers; count += 1) {
    now += milliseconds
    load.answered()
  }
  clock.mockRestore()
  return load
}

test('lets in many while they are answered fast', () => {
  expect(loadOf(400, 0.1).isFull()).toBe(false)
})

test('lets in no more than can be answered in time while they are slow', () => {
  expect(loadOf(64, 4).isFull()).toBe(true)
  expect(loadOf(100, 4).isFull()).toBe(true)
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
