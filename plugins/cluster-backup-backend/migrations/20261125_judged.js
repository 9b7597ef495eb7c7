// @ts-check

/**
 * @param {import('knex').Knex} knex
 */
exports.up = async function up(knex) {
  await knex.schema.alterTable('cluster_protection', table => {
    table.bigInteger('judged_at').comment('When it was looked at last');
  });
};

/**
 * @param {import('knex').Knex} knex
 */
exports.down = async function down(knex) {
  await knex.schema.alterTable('cluster_protection', table => {
    table.dropColumn('judged_at');
  });
};
