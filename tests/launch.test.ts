import { expect, test } from 'bun:test'
import { typedCommand } from '../src/launch.ts'

test.each([
  ['start', 'bun', false, 'bun start'],
  ['dev', 'bun', false, 'bun start'],
  ['start', 'npm', true, `npx -y bun@${Bun.version} start`],
  ['start', 'npm', false, 'npm start -s --'],
  ['start', 'pnpm', false, 'pnpm -s start'],
  ['start', 'yarn', false, 'yarn start'],
])('of the script %p by %p (npx: %p) the command is %p', (script, runner, isNpx, command) => {
  expect(typedCommand({ script, runner, isNpx })).toBe(command)
})

test('without a script it is the file', () => {
  expect(typedCommand({ script: null, runner: null, isNpx: false })).toMatch(/^bun \S+\.ts$/)
})
