// @ts-check

/**
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('cluster_schedules', table => {
    table.comment('When each cluster is backed up next, by its schedule');
    table.string('cluster_ref').primary();
    table
      .text('schedule')
      .notNullable()
      .comment('JSON: where it is another one, the next time is too');
    table.bigInteger('due_at').notNullable().index();
  });
  await knex.schema.createTable('operation_slots', table => {
    table.comment('What only so many operations use at once');
    table
      .string('operation_id', 36)
      .notNullable()
      .references('id')
      .inTable('operations')
      .onDelete('CASCADE');
    table.string('resource').notNullable();
    table.integer('at_most').notNullable();
    table.primary(['operation_id', 'resource']);
  });
  await knex.schema.createTable('accepted_backups', table => {
    table.comment('That the rule is for what was found in stores too');
    table.string('cluster_ref').primary();
    table.bigInteger('accepted_at').notNullable();
    table.string('accepted_by').notNullable();
  });
  await knex.schema.alterTable('operations', table => {
    table.bigInteger('due_at').comment('When a schedule wanted it');
    table.unique(['cluster_ref', 'due_at']);
  });
  await knex.schema.alterTable('backups', table => {
    table
      .bigInteger('going_since')
      .comment('Since when nothing keeps it; it goes some time after');
    table
      .text('removing')
      .comment('Why it is being removed: of what is left, nothing is used');
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.alterTable('backups', table => {
    table.dropColumn('removing');
    table.dropColumn('going_since');
  });
  await knex.schema.alterTable('operations', table => {
    table.dropUnique(['cluster_ref', 'due_at']);
    table.dropColumn('due_at');
  });
  await knex.schema.dropTable('accepted_backups');
  await knex.schema.dropTable('operation_slots');
  await knex.schema.dropTable('cluster_schedules');
};
