import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const EXAMPLES = fileURLToPath(new URL('../../../examples/clients/', import.meta.url));

export type Database = 'PostgreSQL' | 'MariaDB';

/** How one recipe of examples/clients runs. */
export type Recipe = {
  /** Its file below examples/clients. */
  readonly file: string;
  readonly database: Database;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Prints what is used, one line or the first of several. */
  readonly version: readonly string[];
};

/** What is built or installed before recipes can run, kept in the user's cache by the content of its files. */
type Toolchain = {
  readonly program: string;
  readonly files: string;
  readonly build: (folder: string) => readonly (readonly string[])[];
};

const LANGUAGES = ['go', 'java', 'python', 'rust'] as const;

const TOOLCHAINS: Readonly<Record<Language, Toolchain>> = {
  go: {
    program: 'go',
    files: 'go/**/*',
    build: (folder) => [['go', 'build', '-o', `${folder}/`, './pgx', './mysql']],
  },
  java: {
    program: 'mvn',
    files: 'java/pom.xml',
    build: (folder) => [['mvn', '-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]],
  },
  python: {
    program: 'python3',
    files: 'python/requirements.txt',
    build: (folder) => [
      ['python3', '-m', 'venv', folder],
      [`${folder}/bin/pip`, 'install', '-q', '-r', 'requirements.txt'],
    ],
  },
  rust: {
    program: 'cargo',
    files: 'rust/**/*.{rs,toml,lock}',
    build: (folder) => [['cargo', 'build', '-q', '--locked', '--target-dir', folder]],
  },
};

type Language = (typeof LANGUAGES)[number];

/** The folder in which a toolchain's products are, which `prepareRecipes` fills. */
export function folderOf(language: Language): string {
  const hash = createHash('sha256');
  for (const file of globSync(TOOLCHAINS[language].files, { cwd: EXAMPLES }).sort()) {
    if (/\.\w+$/.test(file)) hash.update(file).update(readFileSync(join(EXAMPLES, file)));
  }
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'rds-token-vendor');
  return join(cache, `clients-${language}-${hash.digest('hex').slice(0, 16)}`);
}

/** Builds and installs what the recipes need; says what could not be, and why. */
export function prepareRecipes(): void {
  for (const language of LANGUAGES) {
    const { program, build } = TOOLCHAINS[language];
    if (!installed(program)) {
      console.log(`clients: no ${language}: ${program} is not installed`);
      continue;
    }
    const folder = folderOf(language);
    mkdirSync(folder, { recursive: true });
    for (const [command = '', ...args] of build(folder)) {
      const env = { ...process.env, CARGO_PROFILE_DEV_DEBUG: '0' };
      const { status } = spawnSync(command, args, { cwd: join(EXAMPLES, language), env, stdio: 'inherit' });
      if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
    }
    console.log(`clients: ${language} is ready`);
  }
}

/** Every recipe, in the order of the page. */
export function recipes(): readonly Recipe[] {
  const [go, java, python, rust] = LANGUAGES.map(folderOf);
  const at = (file: string) => join(EXAMPLES, file);
  const pip = (name: string) => [`${python}/bin/pip`, '--disable-pip-version-check', 'list', '--format=freeze', name];
  const jars = (name: string) => ['sh', '-c', `ls ${java} | grep ${name}; java -version`];
  const module = (name: string) => ['sh', '-c', `cd ${at('go')} && go list -m ${name} && go version`];
  const recipe = (
    file: string,
    database: Database,
    command: readonly string[],
    version: readonly string[],
  ): Recipe => ({
    file,
    database,
    command,
    version,
  });
  const run = (program: string, file: string) => [program, at(file)];
  const php = ['php', '--version'];
  return [
    recipe('bash/postgres.sh', 'PostgreSQL', run('bash', 'bash/postgres.sh'), ['psql', '--version']),
    recipe('bash/mysql.sh', 'MariaDB', run('bash', 'bash/mysql.sh'), ['mariadb', '--version']),
    ...(
      [
        ['psycopg_postgres.py', 'PostgreSQL', 'psycopg'],
        ['sqlalchemy_postgres.py', 'PostgreSQL', 'SQLAlchemy'],
        ['sqlalchemy_mysql.py', 'MariaDB', 'mysql-connector-python'],
      ] as const
    ).map(([file, database, name]) =>
      recipe(
        `python/${file}`,
        database,
        [`${python}/bin/python`, at(`python/${file}`)],
        ['sh', '-c', `${pip('').join(' ')} | grep -i '^${name}=='; python3 --version`],
      ),
    ),
    recipe('go/pgx/main.go', 'PostgreSQL', [`${go}/pgx`], module('github.com/jackc/pgx/v5')),
    recipe('go/mysql/main.go', 'MariaDB', [`${go}/mysql`], module('github.com/go-sql-driver/mysql')),
    recipe(
      'java/HikariPostgres.java',
      'PostgreSQL',
      ['java', '-cp', `${java}/*`, at('java/HikariPostgres.java')],
      jars('postgresql'),
    ),
    recipe(
      'java/HikariMysql.java',
      'MariaDB',
      ['java', '-cp', `${java}/*`, at('java/HikariMysql.java')],
      jars('mariadb'),
    ),
    recipe('php/pdo_postgres.php', 'PostgreSQL', run('php', 'php/pdo_postgres.php'), php),
    recipe('php/pdo_mysql.php', 'MariaDB', run('php', 'php/pdo_mysql.php'), php),
    recipe('ruby/postgres.rb', 'PostgreSQL', run('ruby', 'ruby/postgres.rb'), [
      'ruby',
      '-e',
      'require "pg"; puts "pg #{PG::VERSION}, ruby #{RUBY_VERSION}"',
    ]),
    recipe(
      'rust/src/main.rs',
      'PostgreSQL',
      [`${rust}/debug/clients`],
      ['sh', '-c', `cd ${at('rust')} && grep -A1 '"tokio-postgres"' Cargo.lock | tail -1; cargo --version`],
    ),
    recipe('perl/postgres.pl', 'PostgreSQL', run('perl', 'perl/postgres.pl'), [
      'perl',
      '-MDBD::Pg',
      '-e',
      'print "DBD::Pg $DBD::Pg::VERSION, perl $^V\\n"',
    ]),
    recipe(
      'javascript/pg-postgres.mjs',
      'PostgreSQL',
      [process.execPath, at('javascript/pg-postgres.mjs')],
      [process.execPath, '--version'],
    ),
    recipe('csharp/Program.cs', 'PostgreSQL', ['dotnet', 'run', '--project', at('csharp')], ['dotnet', '--version']),
  ];
}

/** Why a recipe cannot run on this machine; undefined when it can. */
export function whyNot({ command: [program = ''] }: Recipe): string | undefined {
  return installed(program) ? undefined : `${program} is not installed`;
}

export function versionOf({ version: [command = '', ...args] }: Recipe): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return stripVTControlCharacters(`${stdout}\n${stderr}`)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 2)
    .join(', ');
}

function installed(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0;
}
