/**
 * What is built, for its version: the first seven figures of the commit. `changed` where the tree is not as it was
 * committed, `no commit` where Git does not know it.
 */
export async function describeCommit(folder: string): Promise<string> {
  const commit = await git(folder, 'rev-parse', 'HEAD')
  const changes = await git(folder, 'status', '--porcelain', '--untracked-files=all')
  if (commit === null || changes === null) return 'no commit'
  return changes === '' ? commit.slice(0, 7) : `${commit.slice(0, 7)}, changed`
}

/** @returns what it says, without the end of the line; null: there is no Git, or no repository */
async function git(folder: string, ...args: string[]): Promise<string | null> {
  if (Bun.which('git') === null) return null
  const child = Bun.spawn(['git', ...args], { cwd: folder, stdout: 'pipe', stderr: 'ignore' })
  const said = await child.stdout.text()
  return (await child.exited) === 0 ? said.trimEnd() : null
}
