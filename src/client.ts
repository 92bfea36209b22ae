// What a frontend may import, types only: `treaty<App>(…)` of @elysiajs/eden is the whole client.
export type { App } from './app.ts'
export type { Feed, FeedPatch, FeedWithUrl, NewFeed } from './feeds/schema.ts'
export type { FilterPatch, KeptFilter as Filter, NewFilter } from './filters/schema.ts'
export type { Activity } from './history/schema.ts'
export type { ProblemBody as Problem } from './http/problem.ts'
export type { List, ListPatch, NewList } from './lists/schema.ts'
export type { NewTask, Task, TaskListQuery, TaskPatch } from './tasks/schema.ts'
