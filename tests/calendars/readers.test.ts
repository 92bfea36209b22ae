import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/database.ts'
import { docket, isCompiled, type Server, startServer } from '../support/process.ts'
import { naughtyTexts } from '../support/tasks.ts'

// Programs that others read calendars with, on the calendars of a running server. They are installed, and so nothing here is run
// unless it is asked for: TEST_BINARY=dist/docket bun test tests/calendars

const readers = ['icalendar==7.3.2', 'vobject==0.9.9', 'vdirsyncer==0.21.0']

const python = Bun.which('python3')
if (isCompiled && python === null) console.log('Skipped: python3 is not installed.')

/** Minutes, for what is installed. */
const patience = 180_000

async function run(command: string[], env: Record<string, string> = {}): Promise<string> {
  // Where packages come from is the matter of this machine.
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stderr: 'pipe' })
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()])
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')}: ${errors}${output}`)
  return output
}

const berlin = { due_date: '2026-12-01', due_time: '18:30', time_zone: 'Europe/Berlin' }

const tasks = [
  { title: 'All day', due_date: '2026-12-01', tags: ['home', 'a,b', 'c;d'], priority: 'high' },
  { title: 'Floating', due_date: '2026-12-01', due_time: '18:30', description: 'a\nb; c, d\\n' },
  { title: 'Zoned', ...berlin },
  { title: 'In UTC', ...berlin, time_zone: 'UTC' },
  { title: 'South', ...berlin, due_date: '2026-10-03', time_zone: 'Australia/Lord_Howe' },
  { title: 'Daily', ...berlin, due_time: '02:30', recurrence: 'FREQ=DAILY;UNTIL=20270401' },
  { title: 'At the end', due_date: '2026-12-31', recurrence: 'FREQ=MONTHLY;BYMONTHDAY=-1' },
  { title: 'Off its rule', due_date: '2026-12-01', recurrence: 'FREQ=WEEKLY;COUNT=3;BYDAY=MO' },
  { title: 'No date' },
  { title: `${'Ü'.repeat(60)}${'🌿'.repeat(90)}`, due_date: '2026-12-02' },
  ...naughtyTexts.map(([, title]) => ({ title, description: title, due_date: '2026-12-03' })),
]

/** As icalendar has it. */
type Item = Record<string, unknown>

describe.skipIf(!isCompiled || python === null)('a calendar', () => {
  const folder = temporaryFolder()
  const programs = join(folder, 'venv/bin')
  let server: Server
  let url = ''

  beforeAll(async () => {
    await run([python ?? '', '-m', 'venv', join(folder, 'venv')])
    await run([join(programs, 'pip'), 'install', '--quiet', '--no-input', ...readers])
    server = await startServer({ cwd: folder })
    const { stdout } = await docket(['token', '--user', 'alice'], { cwd: folder })
    const post = async (path: string, body: object) => {
      const response = await fetch(`${server.address}/api/${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${stdout.trim()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      })
      const made = (await response.json()) as { url: string }
      if (response.status !== 201) throw new Error(JSON.stringify(made))
      return made
    }
    for (const task of tasks) await post('tasks', task)
    ;({ url } = await post('feeds', { name: 'Home' }))
  }, patience)
  afterAll(() => server?.end('SIGTERM'))

  const read = async (query = '') =>
    JSON.parse(await run([join(programs, 'python'), `${import.meta.dir}/read.py`, url + query]))

  test('of events is read by icalendar and vobject', async () => {
    const { name, items, errors, vobject, zones } = await read()

    expect(errors).toEqual([])
    expect(name).toBe('Home')
    expect(zones).toEqual({ 'Australia/Lord_Howe': 0, 'Europe/Berlin': 0 })
    const of = (title: string) =>
      items
        .filter(({ summary }: { summary: string }) => summary === title)
        .map(({ uid: _uid, status: _status, summary: _summary, ...item }: Item) => item)
    expect(of('All day')).toEqual([
      {
        kind: 'VEVENT',
        dtstart: '2026-12-01',
        dtend: '2026-12-02',
        priority: '1',
        tags: ['home', 'a,b', 'c;d'],
      },
    ])
    expect(of('Floating')).toEqual([
      { kind: 'VEVENT', dtstart: '2026-12-01T18:30:00', description: 'a\nb; c, d\\n' },
    ])
    expect(of('Zoned')).toEqual([{ kind: 'VEVENT', dtstart: '2026-12-01T18:30:00+01:00' }])
    expect(of('In UTC')).toEqual([{ kind: 'VEVENT', dtstart: '2026-12-01T18:30:00+00:00' }])
    expect(of('South')).toEqual([{ kind: 'VEVENT', dtstart: '2026-10-03T18:30:00+10:30' }])
    expect(of('Daily')).toEqual([
      {
        kind: 'VEVENT',
        dtstart: '2026-12-01T02:30:00+01:00',
        rule: 'FREQ=DAILY;UNTIL=20270401T003000Z',
      },
    ])
    expect(of('At the end')).toMatchObject([{ rule: 'FREQ=MONTHLY;BYMONTHDAY=-1' }])
    expect(of('Off its rule')).toMatchObject([
      { dtstart: '2026-12-01' },
      { dtstart: '2026-12-07', rule: 'FREQ=WEEKLY;COUNT=2;BYDAY=MO' },
    ])
    expect(of('No date')).toEqual([])
    // Each of them, and the rest of one series.
    expect(items).toHaveLength(tasks.length)
    expect(vobject).toHaveLength(tasks.length)
    expect(vobject.toSorted()).toEqual(
      items.map(({ summary }: { summary: string }) => summary).toSorted(),
    )
  })

  test('of to-dos is read by icalendar and vobject', async () => {
    const { items, errors, vobject } = await read('?as=todo')

    expect(errors).toEqual([])
    expect(items).toHaveLength(tasks.length)
    expect(vobject).toHaveLength(tasks.length)
    expect(new Set(items.map(({ kind }: { kind: string }) => kind))).toEqual(new Set(['VTODO']))
    expect(items.find(({ summary }: { summary: string }) => summary === 'Daily')).toMatchObject({
      due: '2026-12-01T02:30:00+01:00',
      status: 'NEEDS-ACTION',
    })
  })

  test.each(['event', 'todo'])('of %ss is followed by vdirsyncer', async (as) => {
    const local = join(folder, as)
    mkdirSync(local)
    const config = join(folder, `${as}.config`)
    writeFileSync(
      config,
      `[general]
status_path = "${folder}/status-${as}"
[pair copy]
a = "local"
b = "docket"
collections = null
[storage local]
type = "filesystem"
path = "${local}"
fileext = ".ics"
[storage docket]
type = "http"
url = "${url}?as=${as}"
`,
    )
    const sync = async () => {
      for (const command of ['discover', 'sync'])
        await run([join(programs, 'vdirsyncer'), '-c', config, command])
      const names = readdirSync(local).toSorted()
      return names.map((name) => [name, readFileSync(join(local, name), 'utf8')])
    }

    const first = await sync()

    expect(first).toHaveLength(tasks.length)
    expect(first.every(([, text]) => text?.includes(`BEGIN:V${as.toUpperCase()}`))).toBe(true)
    // What is the same it leaves alone.
    expect(await sync()).toEqual(first)
  })
})
