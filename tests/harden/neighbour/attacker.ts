import os from 'node:os'
import { type Attack, attacks } from './attacks.ts'
import { createField, type Field } from './field.ts'

// The attacker, a process of its own, so that what it does does not delay who measures. It is told by a message what to do
// and for how long, and answers how often it met each status.

export type Order = { attacks: Attack[]; port: number; seconds: number }

// In truth it has a machine of its own. On this one it gives way.
os.setPriority(10)

process.on('message', async (order: Order) => process.send?.(await carryOut(order)))

async function carryOut({ attacks: names, port, seconds }: Order): Promise<Field['tally']> {
  const field = createField(port, seconds)
  const over = Bun.sleep(seconds * 1000)
  await Promise.race([over, Promise.all(names.map((name) => attacks[name](field)))])
  field.leave()
  return field.tally
}
