import type { CompatConfig } from '../config.ts'
import type { Names } from './names.ts'

/** What is translated, in a paragraph of the document. */
export function summarize(config: CompatConfig, { allCompleted, toClient }: Names): string {
  const completed = allCompleted.map(({ name, words }) =>
    words === null ? `\`${name}\`` : `\`${name}\`, which is \`${words.join('` or `')}\``,
  )
  const resource = config.resource ?? 'tasks'
  const said = [
    ...(config.prefix !== null || config.resource !== null
      ? [`tasks are also under \`${config.prefix ?? '/api'}/${resource}\``]
      : []),
    ...(config.list.length > 0
      ? [`a list is in \`${config.list.join('.')}\`, beside \`total\` and \`count\``]
      : []),
    ...(config.task.length > 0 ? [`a task is in \`${config.task.join('.')}\``] : []),
    ...(config.completed.length > 0 ? [`\`completed\` is ${completed.join(', and ')}`] : []),
    ...(config.isCamelCase
      ? [`fields and parameters are in camel case, as \`${toClient('due_date')}\``]
      : []),
    ...(config.hasDatetimes ? ['a due date is a date-time'] : []),
    ...(config.keepsUnknown
      ? ['fields that are not known are kept, and parameters that are not known mean nothing']
      : []),
    ...(config.hasMessage ? ['an error has its `detail` as `message` and `error` too'] : []),
  ]
  return `For a frontend that cannot be changed (\`COMPAT="${config.text}"\`) this document has its paths and shapes: ${said.join('; ')}. The paths and the names of before go on being taken.`
}
