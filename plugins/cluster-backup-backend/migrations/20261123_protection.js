// @ts-check

/**
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.createTable('cluster_protection', table => {
    table.comment('How well clusters are protected, as their owners know it');
    table.string('cluster_ref').primary();
    table.string('level', 16).notNullable();
    table.text('codes').notNullable().comment('JSON: of the reasons');
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.dropTable('cluster_protection');
};
