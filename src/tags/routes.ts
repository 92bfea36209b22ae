import { Elysia } from 'elysia'
import { authorOf } from '../auth/author.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Epoch } from '../database/epoch.ts'
import type { Gate } from '../database/gate.ts'
import { readHead } from '../database/heads.ts'
import type { SetAside } from '../history/undo.ts'
import { readBody } from '../http/body.ts'
import { isNoneMatch, listTag } from '../http/conditional.ts'
import { tagOperations } from './operations.ts'
import { RenamedSchema, RenameSchema, TagSchema } from './schema.ts'
import { listTags, renameTag } from './tags.ts'

/** The tags of the caller, under `/api` or `/api/{user_id}`. */
export function tagRoutes<const Path extends '/api' | '/api/:user_id'>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  { setAside }: { setAside: SetAside },
  epochOf: Epoch,
) {
  const operations = tagOperations(prefix)

  return new Elysia({ prefix, tags: ['Tags'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model({ Tag: TagSchema, Rename: RenameSchema, Renamed: RenamedSchema })
    .get(
      '/tags',
      async ({ db, user, request, set, status }) => {
        const reading = epochOf()
        // Before the tags: what is changed meanwhile is read again.
        const head = await readHead(db, user.id)
        const isKnown = isNoneMatch(request.headers, head)
        const tags = isKnown ? [] : await listTags(db, user.id)
        const epoch = await reading
        if (epoch !== null) set.headers['docket-epoch'] = epoch
        set.headers.etag = listTag(head)
        return isKnown ? status(304, undefined) : tags
      },
      operations.list,
    )
    .post(
      '/tags/rename',
      ({ db, user, body, request }) => renameTag(db, authorOf(user, request), body, setAside),
      {
        ...operations.rename,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'Rename',
      },
    )
}
