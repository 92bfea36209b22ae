-- searchIndex reads an index alone only where a vacuum has marked pages as seen by all. By default that comes when a fifth of the
-- tasks are new or changed, until when a search takes up to twice as long. It looks at nothing but what has changed since the last.
alter table tasks set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05);
