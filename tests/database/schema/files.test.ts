import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { schemaFiles } from '../../../src/database/schema/files.ts'

test('are all the files of sql/, in order', () => {
  const names = readdirSync('sql').map((name) => name.replace(/\.sql$/, ''))

  expect(schemaFiles.map(({ name }) => name)).toEqual(names.toSorted())
})

test('are numbered from 1 without a gap, and hold the text of the file', () => {
  for (const [index, { version, name, text }] of schemaFiles.entries()) {
    expect(version).toBe(index + 1)
    expect(name).toMatch(/^\d{3}_[a-z_]+$/)
    expect(text).toBe(readFileSync(`sql/${name}.sql`, 'utf8'))
  }
})

test('open no transaction of their own', () => {
  for (const { text } of schemaFiles) expect(text).not.toMatch(/^\s*(begin|commit|rollback)\s*;/im)
})
