import { Knex } from 'knex';

/** The database's time in milliseconds since 1970: replicas need not agree about theirs. */
export function now(knex: Knex): Knex.Raw {
  return knex.raw(millisecondsSince1970(knex));
}

/** The database's time, some milliseconds from now. */
export function after(knex: Knex, milliseconds: number): Knex.Raw {
  return knex.raw(`${millisecondsSince1970(knex)} + ?`, [milliseconds]);
}

/** The database's time, some milliseconds before now. */
export function ago(knex: Knex, milliseconds: number): Knex.Raw {
  return after(knex, -milliseconds);
}

function millisecondsSince1970(knex: Knex): string {
  return isPostgres(knex)
    ? '(extract(epoch from clock_timestamp()) * 1000)::bigint'
    : `cast(unixepoch('subsec') * 1000 as integer)`;
}

export function isPostgres(knex: Knex): boolean {
  return knex.client.config.client === 'pg';
}

/** A time out of a row; PostgreSQL gives bigint as text. */
export function isoTime(value: number | string): string {
  return new Date(Number(value)).toISOString();
}
