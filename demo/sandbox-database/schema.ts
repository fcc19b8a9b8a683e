/** The database inside the server. */
export const DATABASE_NAME = 'orders';

/** Users that log in with an IAM token: RDS takes one from every member of `rds_iam`. */
export const IAM_USERS: readonly string[] = ['app_rw', 'app_ro', 'dba_admin'];

/**
 * What the sandbox database holds. PGlite opens the database `postgres` and can rename it only this way: the one in use
 * has no ALTER DATABASE … RENAME.
 *
 * PGlite's one session belongs to the superuser for good, so a client that names another role in SET SESSION
 * AUTHORIZATION would become it. `guard-statement.ts` stops that in statements; the revoked rights stop the ways to
 * say it without the words: `set_config`, and code in a function or DO block that builds its statement.
 */
export const SCHEMA = `
  UPDATE pg_database SET datname = '${DATABASE_NAME}' WHERE datname = current_database();
  REVOKE ALL ON DATABASE ${DATABASE_NAME} FROM PUBLIC;
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
  GRANT USAGE ON SCHEMA public TO PUBLIC;
  REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
  REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;

  CREATE FUNCTION public.refuse_in_sandbox() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'permission denied: the sandbox takes no statement with the word "authorization" and none with U&'
      USING ERRCODE = 'insufficient_privilege';
  END $$;

  CREATE ROLE rds_iam NOLOGIN;
  ${IAM_USERS.map((user) => `CREATE ROLE ${user} LOGIN; GRANT rds_iam TO ${user} WITH SET FALSE;`).join('\n  ')}
  CREATE ROLE legacy LOGIN;

  CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL,
    amount numeric(10, 2) NOT NULL
  );
  INSERT INTO orders (customer, amount) VALUES ('Lovelace', 120.50), ('Hopper', 64.00), ('Hamilton', 1969.07);
  GRANT SELECT ON orders TO app_ro;
  GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app_rw;
  GRANT ALL ON orders TO dba_admin;
`;
