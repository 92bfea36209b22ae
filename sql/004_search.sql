-- What the search of a task looks at, made when it is written: to put it together and fold its case for every task that is
-- looked at would take four times as long as the search itself.
create function docket_words(title text, description text, tags text[]) returns text
  language sql immutable parallel safe
  as $$ select lower(concat_ws(E'\n', title, description, array_to_string(tags, E'\n'))) $$;

alter table tasks
  add column words text not null generated always as (docket_words(title, description, tags)) stored;
